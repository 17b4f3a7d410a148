//! User memory of another process: what belongs to it alone, without the kernel's share.

use std::fs;

use crate::Outcome;

/// Anonymous memory of the process, in bytes: stacks and heap, as far as they have been touched.
pub(crate) fn user_memory(pid: u32) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    anonymous(&text).ok_or_else(|| "the kernel does not tell the memory of the server".into())
}

fn anonymous(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found() {
        let text = "Rss:    9 kB\nAnonymous:           12 kB\nLazyFree:  0 kB\n";
        assert_eq!(anonymous(text), Some(12 * 1024));
        assert_eq!(anonymous("Rss: 9 kB\n"), None);
        assert!(user_memory(std::process::id()).unwrap() > 0);
    }
}

//! Which test programs cargo built: their messages, read.

use std::path::PathBuf;

use serde::Deserialize;

/// A test program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Program {
    pub(super) package: String,
    /// As in the names of tests.
    pub(super) target: String,
    pub(super) executable: PathBuf,
    /// The folder of the package, where cargo runs its tests.
    pub(super) folder: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    #[serde(default)]
    manifest_path: PathBuf,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// The test programs that cargo's messages, one a line, tell of.
pub(super) fn programs(messages: &str) -> Vec<Program> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    messages.filter_map(program).collect()
}

fn program(message: Message) -> Option<Program> {
    let is_test = message.profile.is_some_and(|profile| profile.test);
    if message.reason != "compiler-artifact" || !is_test {
        return None;
    }
    let target = message.target?;
    let target = match target.kind.first().map(String::as_str) {
        Some("test") => target.name,
        Some("bin") => "bin".to_owned(),
        _ => "lib".to_owned(),
    };
    Some(Program {
        package: package_name(&message.package_id).to_owned(),
        target,
        executable: message.executable?,
        folder: message.manifest_path.parent()?.to_owned(),
    })
}

/// `path+file:///a/b#name@1.0`, or `path+file:///a/name#1.0` when the folder has the package's name.
fn package_name(id: &str) -> &str {
    let (url, fragment) = id.split_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => url.rsplit('/').next().unwrap_or(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(id: &str, kind: &str, name: &str, test: bool, executable: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{id}","manifest_path":"/w/{name}/Cargo.toml",
               "target":{{"kind":["{kind}"],"name":"{name}","doctest":true}},
               "profile":{{"test":{test},"opt_level":"0"}},"executable":{executable},"fresh":true}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn only_test_programs_count_and_each_has_its_package_and_target() {
        let messages = [
            artifact("path+file:///w/core#a-core@0.1.0", "lib", "a_core", true, "\"/t/1\""),
            artifact("path+file:///w/facade#0.1.0", "test", "fork", true, "\"/t/2\""),
            artifact("path+file:///w/tool#0.1.0", "bin", "tool", true, "\"/t/3\""),
            artifact("path+file:///w/core#a-core@0.1.0", "lib", "a_core", false, "null"),
            artifact("path+file:///w/facade#0.1.0", "example", "upper", false, "\"/t/4\""),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "no message".to_owned(),
        ];
        let programs = programs(&messages.join("\n"));
        let names: Vec<_> =
            programs.iter().map(|program| (&*program.package, &*program.target)).collect();
        assert_eq!(names, [("a-core", "lib"), ("facade", "fork"), ("tool", "bin")]);
        assert_eq!(programs[1].executable, PathBuf::from("/t/2"));
        assert_eq!(programs[1].folder, PathBuf::from("/w/fork"));
    }
}

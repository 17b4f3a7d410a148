//! The names of scenarios. Which of them exist is the catalogue's business; here only their form counts.

const STRATEGIES: [&str; 4] = ["synchronous", "thread_per_request", "thread_pool", "fork"];
const TRANSPORTS: [&str; 4] = ["tcp", "udp", "unix_stream", "unix_datagram"];
const DRIVERS: [&str; 2] = ["handle_request", "serve_forever"];

/// Whether this is `<strategy>/<transport>/<driver>/<scenario>`.
pub(super) fn is_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let [strategy, transport, driver, scenario] = parts[..] else { return false };
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    STRATEGIES.contains(&strategy)
        && TRANSPORTS.contains(&transport)
        && DRIVERS.contains(&driver)
        && !scenario.is_empty()
        && scenario.bytes().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_to_be_known() {
        assert!(is_name("thread_per_request/unix_datagram/serve_forever/handler_error"));
        for name in [
            "",
            "synchronous/tcp/handle_request",
            "synchronous/tcp/handle_request/normal/more",
            "synchronous/tcp/handle_request/",
            "synchronous/tcp/handle_request/Normal",
            "threading/tcp/handle_request/normal",
            "synchronous/stream/handle_request/normal",
            "synchronous/tcp/run/normal",
        ] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}

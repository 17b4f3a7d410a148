//! The text of `HandlerError::report`, and so of the default `handle_error`.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use crate::handler_error::HandlerError;

/// Writes the report in one piece, so that reports of several threads do not mix.
///
/// A failure to write is ignored: there is nowhere left to tell.
pub(crate) fn to_standard_error(client_address: &dyn fmt::Debug, error: &HandlerError) {
    let _ = io::stderr().lock().write_all(text(client_address, error).as_bytes());
}

fn text(client_address: &dyn fmt::Debug, error: &HandlerError) -> String {
    let rule = "-".repeat(40);
    let mut text = format!(
        "{rule}\nException occurred during processing of request from {client_address:?}\n"
    );
    describe(&mut text, error);
    text + &rule + "\n"
}

/// The earlier failure first, as Python orders its tracebacks.
fn describe(text: &mut String, error: &HandlerError) {
    if let Some(context) = error.context() {
        describe(text, context);
        text.push_str("during handling of the above, another failure occurred:\n");
    }
    // Writing to a String does not fail.
    let _ = writeln!(text, "{error}");
    let mut source = error.as_error().and_then(std::error::Error::source);
    while let Some(error) = source {
        let _ = writeln!(text, "  caused by: {error}");
        source = error.source();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot greet")
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn shows_client_error_sources_and_what_came_before() {
        let error = HandlerError::from(Outer(io::Error::other("no voice")))
            .with_context(HandlerError::from("no ears"));
        let rule = "-".repeat(40);
        assert_eq!(
            text(&"127.0.0.1:5", &error),
            format!(
                "{rule}\n\
                 Exception occurred during processing of request from \"127.0.0.1:5\"\n\
                 no ears\n\
                 during handling of the above, another failure occurred:\n\
                 cannot greet\n  caused by: no voice\n\
                 {rule}\n"
            )
        );
    }
}

//! What the harness and a subject say to one another: one JSON document a line, in both directions.

use serde::{Deserialize, Serialize};

use crate::scenario::{Does, Hook, Scenario};

/// What the harness says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Make the server of this scenario; Unix sockets are bound to `path`. Answered by [`Report::Ready`].
    Run {
        /// What to play.
        scenario: Box<Scenario>,
        /// Where, if the transport needs a path.
        path: String,
    },
    /// Start the driver. It ends with [`Report::Driven`].
    Drive,
    /// Call `shutdown()`, beside the driver.
    Stop,
    /// Close the server, once it has been driven. Answered by [`Report::Closed`].
    Close,
    /// The clients have seen what there is to see: let go of everything.
    End,
}

/// What a subject says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// The subject is there.
    Hello {
        /// What it is, with its version.
        version: String,
    },
    /// The server listens.
    Ready {
        /// The port, for transports that have one.
        port: Option<u16>,
    },
    /// It cannot play this scenario.
    Unsupported {
        /// Why not.
        why: String,
    },
    /// A hook has been entered.
    Hook(HookCall),
    /// It should be able to play this scenario, but could not make the server.
    Failed {
        /// Why not.
        why: String,
    },
    /// One verb of the driver is over.
    Verb {
        /// `returned`, or what came out of it.
        outcome: String,
    },
    /// All verbs are over.
    Driven,
    /// Something came out of a worker thread.
    Escaped {
        /// Of which request.
        request: usize,
        /// What.
        what: String,
    },
    /// A child process ended.
    Exit {
        /// Which one.
        pid: u32,
        /// Its exit code, or minus its signal.
        status: i32,
    },
    /// The server has been closed.
    Closed {
        /// `returned`, or what came out of it.
        outcome: String,
        /// Threads, children and callers of `shutdown` that are still there.
        left: Vec<String>,
    },
}

/// One call of a hook.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct HookCall {
    /// Who called it.
    pub actor: Actor,
    /// The process it was called in.
    pub pid: u32,
    /// For which request, if for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<usize>,
    /// Which hook.
    pub hook: Hook,
    /// What it will do, if not the stock thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<Does>,
    /// Of `handle_error`: the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Who calls a hook.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Actor {
    /// The thread that runs the driver.
    Main,
    /// Another thread of that process.
    Worker,
    /// A child process.
    Child,
}

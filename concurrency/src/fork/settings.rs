//! The settings of [`Fork`].

use super::{ChildExit, Fork, SignalHandlers};

impl Fork {
    /// How many children there are at most at a time, at least one. The default is 40.
    pub fn max_children(mut self, children: usize) -> Self {
        self.max_children = children.max(1);
        self
    }

    /// Whether closing the server waits for all children. The default is to wait. If not, those that
    /// still run when the server is closed are left alone, and nobody is told of their end; the system keeps
    /// their exit status until this process ends.
    pub fn block_on_close(mut self, block: bool) -> Self {
        self.block_on_close = block;
        self
    }

    /// Whether children keep the parent's handlers for `SIGTERM` and `SIGINT`, [instead of](Self#what-a-child-inherits) ending by
    /// the one and ignoring the other. The default is not to.
    ///
    /// Where such a handler only sets a flag for the parent, or writes into a pipe of its, a child does not end by the signal,
    /// and the parent hears of signals that were not sent to it.
    pub fn inherit_signal_handlers(mut self, inherit: bool) -> Self {
        self.signal_handlers = SignalHandlers::inherited(inherit);
        self
    }

    /// Whether children are told when the parent [drains](socketserver_core::Server::drain): an idle connection ends at once then, and
    /// handlers can see that the server [drains](socketserver_core::ServerHandle::is_draining). The default is not to.
    ///
    /// It costs a thread in each child, `parent-watch`, so a handler must not fork. Children take it for a drain too when the
    /// parent dies, or drops the server without having waited for them.
    pub fn tell_children(mut self, tell: bool) -> Self {
        self.tell_children = tell;
        self
    }

    /// Calls `hook` in the parent, in the serving thread, for each child that has ended.
    ///
    /// A panic of it goes on to whoever serves or closes the server. During a drain it does not: that goes on, and the panic
    /// hook has told of it.
    pub fn on_child_exit(mut self, hook: impl Fn(ChildExit) + Send + Sync + 'static) -> Self {
        self.on_child_exit = Some(Box::new(hook));
        self
    }
}

//! What of a draft goes together: no matter of luck, and nothing that never ends.

use super::acts::Trouble;
use super::assemble::text;
use super::{ClientDraft, Draft, DriveDraft, End};
use crate::scenario::{HandlerKind, Op, Strategy};

/// Takes out what does not fit together.
pub(super) fn together(draft: &mut Draft) {
    let stream = draft.transport.is_stream();
    if draft.drive == DriveDraft::Conversation && !stream {
        draft.drive = DriveDraft::Loops { first: 0, between: false };
    }
    if matches!(draft.drive, DriveDraft::Handler { .. }) && draft.strategy == Strategy::Fork {
        // A child's wish does not reach its parent.
        draft.drive = DriveDraft::Outside;
    }
    if draft.drive == DriveDraft::Conversation {
        draft.handle = vec![Op::EchoLines];
        draft.settings.early = true;
        draft.settings.wbufsize = None;
        draft.settings.max_children = None;
    }
    if matches!(draft.drive, DriveDraft::Requests { idle: true }) {
        // An idle call is short, so everything must be there before, and nobody may have to wait for a child to end.
        draft.settings.early = false;
        draft.settings.max_children = None;
    }
    if stream && !reads_all(draft) {
        // What is sent to a connection that may be closed already arrives or does not.
        draft.settings.early = false;
    }
    if draft.transport.is_unix() && !reads_all(draft) {
        // A client on a Unix socket is told whether something was left unread, and that depends on how far a buffer reads
        // ahead.
        draft.settings.rbufsize = None;
    }
    // With a limit, everything must have been said before: a short one is over soon.
    let files = draft.handler == HandlerKind::Files;
    draft.settings.impatient &= stream && files && !draft.settings.early;
    let writes = draft.handle.iter().filter(|op| writes(op)).count();
    let one_write_at_the_end = writes == 0
        || (writes == 1
            && draft.handle.last().is_some_and(|op| matches!(op, Op::Reply | Op::Write(_))));
    let buffered = draft.settings.wbufsize.is_some_and(|bytes| bytes > 0);
    // Whether there is a reply is plain to see.
    let knows_to_reply = draft.handle.iter().all(|op| !matches!(op, Op::EchoLines));
    if matches!(draft.drive, DriveDraft::Handler { .. }) {
        // The last handler must get to where it stops the server.
        draft.settings.impatient = false;
        draft.clients.iter_mut().for_each(|client| client.end = End::Stays);
    }
    let ends_loops = matches!(draft.drive, DriveDraft::Handler { .. } | DriveDraft::Conversation);
    if ends_loops {
        draft.get_request.clear();
        draft.service_actions = None;
    }
    for client in &mut draft.clients {
        // One that goes while it is served is a matter of luck, and so is whether a second write finds that out.
        let may_go = !draft.settings.early && one_write_at_the_end && !buffered;
        let may_be_nobody = !stream && files && knows_to_reply;
        client.end = match client.end {
            End::Unnamed | End::Closes | End::Resets if !stream && !may_be_nobody => End::Stays,
            End::Unnamed if stream => End::Stays,
            End::Closes | End::Resets if !may_go => End::Stays,
            end => end,
        };
        client.trouble =
            client.trouble.filter(|trouble| fits(*trouble, draft.drive, draft.strategy));
        if !stream && client.end != End::Stays {
            // The reply that cannot be sent is trouble enough.
            client.trouble = None;
        }
        client.half_close |= !draft.settings.impatient && needs_end(&draft.handle, client);
    }
}

/// Whether all handlers read all that their clients say.
fn reads_all(draft: &Draft) -> bool {
    let all = draft.handle.iter().any(|op| matches!(op, Op::ReadAll | Op::EchoLines));
    let mut troubles = draft.clients.iter().filter_map(|client| client.trouble);
    let unserved = !draft.get_request.is_empty() || draft.service_actions.is_some();
    draft.drive == DriveDraft::Conversation
        || (all && !unserved && troubles.all(Trouble::lets_read))
}

fn fits(trouble: Trouble, drive: DriveDraft, strategy: Strategy) -> bool {
    !trouble.is_luck(strategy)
        && match drive {
            DriveDraft::Conversation => trouble.is_after_all_was_said(),
            DriveDraft::Handler { .. } => false,
            _ => true,
        }
}

fn writes(op: &Op) -> bool {
    matches!(op, Op::Reply | Op::Write(_) | Op::EchoLines)
}

/// Whether `handle` reads more than this client says, so that it must see the end.
fn needs_end(handle: &[Op], client: &ClientDraft) -> bool {
    let text = text(client);
    let mut rest = text.as_str();
    handle.iter().any(|op| match op {
        Op::ReadAll | Op::EchoLines => true,
        Op::ReadLine => match rest.split_once('\n') {
            Some((_, after)) => {
                rest = after;
                false
            }
            None => true,
        },
        Op::ReadExact(bytes) => match rest.get(*bytes..) {
            Some(after) => {
                rest = after;
                false
            }
            None => true,
        },
        Op::Reply | Op::Write(_) | Op::Flush => false,
    })
}

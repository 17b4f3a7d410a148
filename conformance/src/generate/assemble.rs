//! From choices to a scenario that ends, and shows the same each time it is played.

use super::acts::Trouble;
use super::{ClientDraft, Draft, DriveDraft, End};
use crate::scenario::{
    Act, Does, HandlerKind, Hook, Op, Options, Scenario, Step, StopAt, Strategy, Verb,
};

/// A read that would wait for ever ends after so many milliseconds, where that is asked for.
const IMPATIENCE: u64 = 40;
/// What a wait may take that never should, in milliseconds.
const LONG: u64 = 5000;

pub(super) fn scenario(mut draft: Draft) -> Scenario {
    simplify(&mut draft);
    let options = options(&draft);
    let mut script = script(&draft);
    let mut acts = acts(&draft, &accepted(&script, draft.transport.is_stream()));
    let turns =
        draft.clients.len() + acts.iter().filter(|act| act.hook == Hook::GetRequest).count();
    let (drive, last) = drive(&draft, turns);
    script.extend(last);
    if let DriveDraft::Handler { waits } = draft.drive {
        let does = if waits && draft.strategy.is_threads() { Does::Shutdown } else { Does::Stop };
        acts.push(Act { hook: Hook::Handle, at: draft.clients.len() - 1, does });
    }
    Scenario {
        transport: draft.transport,
        strategy: draft.strategy,
        handler: draft.handler,
        options,
        drive,
        acts,
        handle: draft.handle,
        script,
    }
}

/// Takes out what does not fit together.
fn simplify(draft: &mut Draft) {
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
        // An idle call is short, so everything must be there before.
        draft.settings.early = false;
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

/// All that a client says.
fn text(client: &ClientDraft) -> String {
    let mut text: String = client.lines.iter().flat_map(|line| [line, "\n"]).collect();
    if client.cut {
        text.pop();
    }
    text
}

fn options(draft: &Draft) -> Options {
    let settings = draft.settings;
    let stream = draft.transport.is_stream();
    let files = draft.handler == HandlerKind::Files;
    let idle = matches!(draft.drive, DriveDraft::Requests { idle: true });
    Options {
        timeout: Some(if idle { IMPATIENCE } else { LONG }),
        poll_interval: Some(10),
        handler_timeout: (settings.impatient && files).then_some(IMPATIENCE),
        rbufsize: settings.rbufsize.filter(|_| stream && files),
        wbufsize: settings.wbufsize.filter(|_| stream && files),
        max_packet_size: settings.max_packet_size.filter(|_| !stream),
        max_children: settings.max_children.filter(|_| draft.strategy == Strategy::Fork),
        ..Options::default()
    }
}

/// The clients in the order in which their requests are accepted.
fn accepted(script: &[Step], stream: bool) -> Vec<usize> {
    let accepted = |step: &Step| match *step {
        Step::Connect(client) | Step::ConnectUnnamed(client) if stream => Some(client),
        Step::Send(client, _) if !stream => Some(client),
        _ => None,
    };
    script.iter().filter_map(accepted).collect()
}

fn acts(draft: &Draft, accepted: &[usize]) -> Vec<Act> {
    let mut acts = Vec::new();
    for (request, client) in accepted.iter().enumerate() {
        let client = &draft.clients[*client];
        acts.extend(client.trouble.into_iter().flat_map(|trouble| trouble.acts(request)));
    }
    for &(at, error) in &draft.get_request {
        // It must be reached, once: there are as many calls as clients, and these.
        let reached = at < draft.clients.len();
        if reached && !acts.iter().any(|act| act.hook == Hook::GetRequest && act.at == at) {
            acts.push(Act {
                hook: Hook::GetRequest,
                at,
                does: if error { Does::Error } else { Does::Panic },
            });
        }
    }
    if let Some(at) = draft.service_actions {
        acts.push(Act { hook: Hook::ServiceActions, at, does: Does::Panic });
    }
    acts
}

/// The verbs, and the steps that end them if nothing else does.
fn drive(draft: &Draft, turns: usize) -> (Vec<Verb>, Vec<Step>) {
    let loop_to = |turns| Verb::ServeForever(StopAt::Turns(turns));
    match draft.drive {
        DriveDraft::Requests { idle } => {
            (vec![Verb::HandleRequest; turns + usize::from(idle)], Vec::new())
        }
        DriveDraft::Loops { first, between } => {
            // Whether the first turn of a loop is idle is a matter of time, if not all are there before.
            let first = first.max(usize::from(draft.settings.early));
            let mut verbs = vec![loop_to(first.min(turns))];
            if between && first + 1 < turns {
                verbs.push(Verb::HandleRequest);
            }
            verbs.push(loop_to(turns));
            (verbs, Vec::new())
        }
        DriveDraft::Conversation => (vec![loop_to(turns)], Vec::new()),
        DriveDraft::Outside => {
            (vec![Verb::ServeForever(StopAt::Asked)], vec![Step::Await(turns), Step::Stop])
        }
        DriveDraft::Handler { .. } => (vec![Verb::ServeForever(StopAt::Asked)], Vec::new()),
    }
}

fn script(draft: &Draft) -> Vec<Step> {
    let stream = draft.transport.is_stream();
    let talks = draft.drive == DriveDraft::Conversation;
    let clients: Vec<Vec<Step>> = draft
        .clients
        .iter()
        .enumerate()
        .map(|(number, client)| steps(number, client, stream, talks))
        .collect();
    let mut script = Vec::new();
    if draft.settings.early {
        script.push(Step::Drive);
    }
    if talks && draft.strategy == Strategy::Synchronous {
        // While one is served the others get no answer.
        script.extend(clients.into_iter().flatten());
    } else {
        script.extend(merge(clients, &draft.order));
    }
    if !draft.settings.early {
        script.push(Step::Drive);
    }
    script
}

fn steps(number: usize, client: &ClientDraft, stream: bool, talks: bool) -> Vec<Step> {
    let mut steps = vec![match client.end {
        End::Unnamed => Step::ConnectUnnamed(number),
        _ => Step::Connect(number),
    }];
    let text = text(client);
    if !stream {
        steps.push(Step::Send(number, text));
    } else if talks {
        for line in &client.lines {
            steps.push(Step::Send(number, format!("{line}\n")));
            steps.push(Step::Read(number, "re:\n".len() + line.len()));
        }
    } else if !text.is_empty() {
        let size = text.len().div_ceil(client.pieces);
        let pieces = text.as_bytes().chunks(size);
        // It is ASCII, so it can be cut anywhere.
        steps.extend(
            pieces.map(|piece| Step::Send(number, String::from_utf8_lossy(piece).into_owned())),
        );
    }
    if stream && (client.half_close || talks) {
        steps.push(Step::HalfClose(number));
    }
    match client.end {
        End::Closes => steps.push(Step::Close(number)),
        End::Resets => steps.push(Step::Reset(number)),
        End::Stays | End::Unnamed => {}
    }
    steps
}

/// The steps of all, each one's in their order. Who comes next is drawn.
fn merge(clients: Vec<Vec<Step>>, order: &[usize]) -> Vec<Step> {
    let mut left: Vec<_> = clients.into_iter().map(Vec::into_iter).collect();
    let mut merged = Vec::new();
    let mut order = order.iter().cycle();
    while !left.is_empty() {
        let next = order.next().map_or(0, |number| number % left.len());
        match left[next].next() {
            Some(step) => merged.push(step),
            None => drop(left.remove(next)),
        }
    }
    merged
}

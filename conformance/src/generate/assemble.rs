//! From choices to a scenario that ends, and shows the same each time it is played.

use super::fit;
use super::{ClientDraft, Draft, DriveDraft, End};
use crate::scenario::{
    Act, Does, HandlerKind, Hook, Options, Scenario, Step, StopAt, Strategy, Verb,
};

/// A read that would wait for ever ends after so many milliseconds, where that is asked for.
const IMPATIENCE: u64 = 40;
/// What a wait may take that never should, in milliseconds.
const LONG: u64 = 5000;

pub(super) fn scenario(mut draft: Draft) -> Scenario {
    fit::together(&mut draft);
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

/// All that a client says.
pub(super) fn text(client: &ClientDraft) -> String {
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

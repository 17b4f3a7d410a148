//! This project as a subject: a process that makes the servers of the facade and drives them as it is told.

mod books;
mod build;
mod drive;
mod orders;
mod player;
#[cfg_attr(
    all(windows, target_env = "gnu"),
    expect(
        clippy::missing_const_for_thread_local,
        reason = "it is const; what the macro makes of it on this target hides that from the lint"
    )
)]
mod stage;
mod traced;

use std::path::Path;
use std::sync::Arc;

use orders::Orders;
use stage::{Stage, say};

use crate::scenario::{Does, Hook, Scenario, Strategy};
use crate::wire::{Order, Report};

/// Plays scenarios until nobody sends any more.
pub fn serve_scenarios() {
    say(&Report::Hello { version: format!("socketserver {}", env!("CARGO_PKG_VERSION")) });
    let mut orders = Orders::new();
    while let Some(order) = orders.next() {
        let Order::Run { scenario, path } = order else { continue };
        if let Some(why) = unsupported(&scenario) {
            say(&Report::Unsupported { why });
        } else if let Err(why) = play(*scenario, Path::new(&path), &mut orders) {
            say(&Report::Failed { why });
        }
    }
}

fn play(scenario: Scenario, path: &Path, orders: &mut Orders) -> Result<(), String> {
    orders.prepare(&scenario)?;
    let stage = Arc::new(Stage::new(scenario));
    orders.begin(&stage);
    let result = build::build_and_drive(&stage, path, orders);
    stage.end();
    result
}

/// Why this project cannot play a scenario: what Rust has no word for, or this platform has not.
fn unsupported(scenario: &Scenario) -> Option<String> {
    if cfg!(not(unix)) && (scenario.transport.is_unix() || scenario.strategy == Strategy::Fork) {
        return Some(format!("no {} {} on this platform", scenario.strategy, scenario.transport));
    }
    scenario.acts.iter().find_map(|act| {
        let in_handler =
            matches!(act.hook, Hook::Setup | Hook::Handle | Hook::Finish | Hook::FinishRequest);
        let why = match act.does {
            Does::Interrupt => "Rust has no KeyboardInterrupt",
            Does::Exit(_) if !in_handler => "only a handler's steps can ask to exit",
            Does::Refuse | Does::RefuseByNone if act.hook != Hook::VerifyRequest => {
                "only verify_request refuses"
            }
            Does::Panic if act.hook == Hook::ProcessRequest => {
                "a strategy fails by giving the job back"
            }
            _ if matches!(act.hook, Hook::CollectChildren | Hook::ProcessRequestThread) => {
                "this hook is CPython's own"
            }
            _ => return None,
        };
        Some(format!("{} {}: {why}", act.hook, act.does))
    })
}

//! The machine: lives are drawn, led, and shortened when something does not hold.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use socketserver_core::testing::ScriptedClient;

use crate::command::{Command, Whose, command};
use crate::life::Life;
use crate::subject::Runs;

/// How many lives, and how many steps each.
const LIVES: u32 = 250;
const STEPS: usize = 24;

/// What a life begins with. What must hold is checked by [`Life`], for when things happen is up to the threads.
#[derive(Clone, Copy, Debug)]
struct Beginning {
    runs: Runs,
    most: usize,
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Beginning;
    type Transition = Command;

    fn init_state() -> BoxedStrategy<Beginning> {
        let runs = select(&Runs::ALL[..]);
        (runs, 1..4_usize).prop_map(|(runs, most)| Beginning { runs, most }).boxed()
    }

    fn transitions(_: &Beginning) -> BoxedStrategy<Command> {
        command()
    }

    fn apply(state: Beginning, _: &Command) -> Beginning {
        state
    }
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Life;
    type Reference = Self;

    fn init_test(beginning: &Beginning) -> Life {
        Life::new(beginning.runs, beginning.most)
    }

    fn apply(mut life: Life, beginning: &Beginning, command: Command) -> Life {
        match command {
            Command::Deliver(kind) => life.deliver(kind),
            Command::Release(Whose::Oldest) => life.world().release_oldest(),
            Command::Release(Whose::All) => life.world().release_all(),
            Command::Send => life.world().each_client(|client| client.send(1)),
            Command::HangUp => life.world().each_client(ScriptedClient::hang_up),
            Command::Serve => life.serve(),
            Command::Stop => life.stop(),
            Command::HandleOne => life.handle_one(),
            Command::Pause => life.pause(),
            Command::Settle => life.settle(),
            Command::Crowd(deeds) => life.crowd(deeds),
            Command::Drain(staged) => life.drain(staged),
            Command::Close => life.close(),
            Command::Renew => {
                life.end();
                return Self::init_test(beginning);
            }
        }
        life
    }

    fn check_invariants(life: &Life, _: &Beginning) {
        life.check();
    }

    fn teardown(life: Life, _: Beginning) {
        life.end();
    }
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(LIVES),
        // One that hangs takes long each time.
        max_shrink_time: 120_000,
        ..ProptestConfig::default()
    }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn nothing_hangs_is_lost_or_closed_twice_whatever_is_done_in_which_order(
        sequential 1..STEPS => Machine
    );
}

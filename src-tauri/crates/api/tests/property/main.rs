//! Random sequences of requests, answered by the real thing and by a reference model that a page of prose became: both must
//! say the same, at every step and about everything at the end.
//!
//! The real thing is an engine on a file, two engines on one PostgreSQL, and two programs on one PostgreSQL, which are asked in
//! turn over HTTP; for those `target/.../patchbay` has to be built.
//!
//! `PATCHBAY_CASES=10` tries ten times as many sequences, `PATCHBAY_SEED=7` other ones. A failure prints its seed and the
//! shortest sequence that was found to fail.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says so by a panic; the exemption of tests does not reach their fixtures")]

mod agree;
#[path = "../../../store/tests/suite/cluster.rs"]
mod cluster;
mod commands;
mod engines;
mod lists;
mod model;
mod names;
mod servers;
mod tokens;
mod unchanged;
mod world;

use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::agree::run;
use crate::commands::{command, known};
use crate::world::{BACKENDS, Template};

/// Scales the number of cases: 1 where `PATCHBAY_CASES` says nothing.
fn cases(normal: u32) -> u32 {
    let scale = std::env::var("PATCHBAY_CASES").ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes the nearest number that there is")]
    let scaled = (f64::from(normal) * scale).ceil() as u32;
    scaled.max(1)
}

#[test]
fn the_model_and_the_real_thing_answer_the_same() {
    let seed: u64 = std::env::var("PATCHBAY_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_122);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for backend in BACKENDS {
        let template = runtime.block_on(Template::new(*backend));
        let config = Config { cases: cases(backend.cases(300)), failure_persistence: None, max_shrink_iters: 4000, max_shrink_time: 60_000, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        for commands in known() {
            if let Err(reason) = runtime.block_on(run(&template, &commands)) {
                panic!("on {backend:?}: {reason}\nafter {commands:#?}");
            }
        }
        let outcome = runner.run(&vec(command(), 1..60), |commands| runtime.block_on(run(&template, &commands)).map_err(TestCaseError::fail));
        match outcome {
            Ok(()) => template.end(),
            Err(TestError::Fail(reason, commands)) => panic!("PATCHBAY_SEED={seed} on {backend:?}: {reason}\nafter {commands:#?}"),
            Err(TestError::Abort(reason)) => panic!("given up: {reason}"),
        }
    }
}

//! Renewal without anybody asking, with a clock that is moved: what is in use before it is due, what is not in use not at all.

use std::time::Duration;

use patchbay_engine::deadline::renew_due;
use patchbay_model::deadline::{ClockKind, ClockOwner};
use patchbay_model::integration::{AttentionCause, IntegrationStatus};
use patchbay_model::status::CallSums;
use patchbay_model::{Code, CredentialId, Timestamp};
use patchbay_store::Usage;

use crate::world::World;

const HOUR: i64 = 3600;

impl World {
    async fn credential(&self) -> CredentialId {
        self.now_integration().await.config["credential"]["value"].as_str().unwrap().parse().unwrap()
    }

    /// When the access token is renewed without anybody asking.
    async fn renewed_at(&self) -> Option<Timestamp> {
        let owner = ClockOwner::Credential(self.credential().await);
        let clocks = self.bare_store().await.read(self.scope()).await.unwrap().clocks_of(owner).await.unwrap();
        clocks.iter().find(|clock| clock.kind == ClockKind::Access).unwrap().renew_at
    }

    /// As if a program had called at this moment.
    async fn used(&self) {
        let usage = Usage {
            organization_id: self.integration.organization_id,
            account_id: self.integration.account_id,
            integration_id: self.integration.id,
            last_used_at: self.now(),
            last_connected_at: None,
            used: CallSums::default(),
            minutes: Vec::new(),
            turns: Vec::new(),
        };
        self.bare_store().await.flush_usage(&[usage]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_is_renewed_before_it_is_due_and_what_is_not_when_somebody_calls() {
    let world = World::new().await;
    world.connect().await;
    assert_eq!(renew_due(&world.engine).await.unwrap(), 0, "nothing is due yet");
    world.used().await;
    let at = world.renewed_at().await.expect("it is in use");
    let due = world.now().plus(Duration::from_secs(2400));
    assert!(at <= due && due.since(at) <= Duration::from_secs(310), "within five minutes before two thirds of its life: {at}");
    for round in 1..=3 {
        let before = world.renewed_at().await.unwrap();
        world.advance(i64::try_from(before.since(world.now()).as_secs()).unwrap() + 1);
        world.used().await;
        assert_eq!(renew_due(&world.engine).await.unwrap(), 1);
        assert_eq!(renew_due(&world.engine).await.unwrap(), 0, "once");
        assert_eq!(world.peer.refreshes().await.len(), round);
    }
    world.userinfo().await.unwrap();
    assert_eq!(world.peer.refreshes().await.len(), 3, "a call finds it renewed");
    // Nobody calls for longer than a day.
    world.advance(25 * HOUR);
    assert_eq!(renew_due(&world.engine).await.unwrap(), 1);
    assert_eq!((world.peer.refreshes().await.len(), world.renewed_at().await), (3, None), "it is left alone until somebody calls");
    world.userinfo().await.unwrap();
    assert_eq!(world.peer.refreshes().await.len(), 4);
    assert!(world.renewed_at().await.is_some(), "and is in use again");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_renew_ahead_once() {
    let world = World::new().await;
    world.connect().await;
    let other = world.second_engine().await;
    world.advance(HOUR * 2 / 3);
    world.used().await;
    let (one, two) = tokio::join!(renew_due(&world.engine), renew_due(&other));
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(world.peer.refreshes().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_renewed_is_tried_again_and_then_left_to_a_person() {
    let mut world = World::new().await;
    world.connect().await;
    world.advance(HOUR * 2 / 3);
    world.used().await;
    world.peer.revoke().await;
    assert_eq!(renew_due(&world.engine).await.unwrap(), 1);
    assert_eq!(world.now_integration().await.status, IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshRefused });
    world.advance(301);
    assert_eq!(renew_due(&world.engine).await.unwrap(), 1, "taken up once more");
    let asked = world.peer.refreshes().await.len();
    world.advance(HOUR);
    assert_eq!(renew_due(&world.engine).await.unwrap(), 0, "and left alone then");
    assert_eq!(world.peer.refreshes().await.len(), asked);
    world.peer.stop();
    assert_eq!(world.userinfo().await.unwrap_err().code, Code::NeedsReconnect);
}

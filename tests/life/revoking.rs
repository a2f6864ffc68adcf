//! What we give back: it is gone here at once, and ends at the provider as its manifest says.

use std::time::Duration;

use libtest_mimic::Failed;
use patchbay_engine::{integration, revocation};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::revocation::{Revocation, RevocationState};
use patchbay_providers::manifest::revoke::{How, Proof, Revocation as Facts};

use crate::world::{World, must, problem};

/// How long a look at the provider is awaited. Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Disconnects, and follows the revocation to its end.
pub(crate) async fn gives_back(world: &World, connected: &Integration, facts: &Facts) -> Result<(), Failed> {
    let id = connected.id.to_string();
    let account = connected.account_id.to_string();
    let preview = integration::preview_disconnect(&world.engine, &world.grant, &account, &id).await.map_err(problem("the preview"))?;
    let manual = preview.proof.is_some_and(|proof| proof.manual.iter().any(|step| !step.is_empty()));
    must(manual && !preview.already, || "the preview says nothing of what a person would do".to_owned())?;

    let done = integration::disconnect(&world.engine, &world.grant, &account, &id).await.map_err(problem("the disconnection"))?;
    must(done.integration.status == IntegrationStatus::Revoked, || format!("it is {:?} after it was disconnected", done.integration.status))?;
    let problem_of = world.fails(connected, "the call after it was disconnected").await?;
    must(world.status(connected).await? == IntegrationStatus::Revoked, || format!("a call changed that it is disconnected: {:?}", problem_of.code))?;
    let again = integration::disconnect(&world.engine, &world.grant, &account, &id).await.map_err(problem("the second disconnection"))?;
    must(again.revocation.is_none(), || "what was given back is given back twice".to_owned())?;

    let begun = done.revocation.ok_or("nothing is taken back")?;
    let expected = match (&facts.how, facts.proof) {
        (How::None, _) => RevocationState::Manual,
        (_, Proof::Nothing) => RevocationState::Revoked,
        _ => RevocationState::Proven,
    };
    let end = at_its_end(world, begun).await?;
    must(end.state == expected, || format!("it ended {:?}, not {expected:?}: {:#?}", end.state, end.proof.events))?;
    must(end.next_attempt_at.is_none(), || "it is not at its end".to_owned())?;
    if expected == RevocationState::Manual {
        must(end.needs_person(), || "nobody is told to end it".to_owned())?;
        let confirmed = revocation::confirm(&world.engine, &world.grant, &end.id.to_string()).await.map_err(problem("the confirmation"))?;
        must(!confirmed.needs_person() && confirmed.proof.confirmed_by == Some(world.grant.member()), || format!("it is not confirmed: {confirmed:?}"))?;
    }
    Ok(())
}

/// The end of a revocation: clocks are moved where it waits for something.
async fn at_its_end(world: &World, begun: Revocation) -> Result<Revocation, Failed> {
    let mut news = world.engine.subscribe();
    let mut row = begun;
    while row.next_attempt_at.is_some() {
        if let Some(next) = row.next_attempt_at.filter(|next| *next > world.engine.now() && row.state != RevocationState::Pending) {
            must(matches!(row.state, RevocationState::Revoked | RevocationState::Alive), || format!("the provider does not take it: {:#?}", row.proof.events))?;
            world.advance(next.since(world.engine.now()).as_secs() + 1);
        }
        revocation::revoke_due(&world.engine).await.map_err(problem("the look at what is due"))?;
        let now = revocation::get(&world.engine, &world.grant, &row.id.to_string()).await.map_err(problem("the revocation"))?;
        if now.updated_at == row.updated_at && now.state == row.state {
            // This process is at it already, beside us.
            tokio::time::timeout(PATIENCE, news.recv()).await.map_err(|_| Failed::from(format!("nothing becomes of it: {now:#?}")))?.ok();
        }
        row = revocation::get(&world.engine, &world.grant, &row.id.to_string()).await.map_err(problem("the revocation"))?;
    }
    Ok(row)
}

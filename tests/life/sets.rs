//! A consent that gives several tokens, each with its own end and its own refresh token: each is renewed by itself, and what becomes
//! of one is told by its name and leaves the other alone.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_engine::deadline::renew_due;
use patchbay_engine::integration::{self, JournalAttempt};
use patchbay_model::Code;
use patchbay_model::deadline::ClockKind;
use patchbay_model::integration::{AttentionCause, Integration, IntegrationStatus};
use patchbay_model::refresh::RefreshStep;
use patchbay_providers::manifest::{CredentialOption, Server};
use patchbay_providers::{Catalog, Provider};
use patchbay_simulator::{Fault, FaultOrder};

use crate::consent::{connect, register_asking};
use crate::world::{World, must, problem};

/// The bot's token and a person's.
const MAIN: &str = "main";
const USER: &str = "user";

/// Slack, where both a bot and a person are asked for.
pub(crate) async fn life(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let server = provider.consent(&way.word).ok_or("nobody consents to this")?;
    let life = server.lifetime.access.seconds.ok_or("the manifest says how long its tokens live")?;
    each_by_its_own_clock(&connected(catalog, provider, way, server).await?, life).await?;
    by_the_worker(&connected(catalog, provider, way, server).await?, life).await?;
    what_one_loses_leaves_the_other(&connected(catalog, provider, way, server).await?, life).await?;
    reuse_of_either(catalog, provider, way, server).await?;
    an_answer_that_is_lost(&connected(catalog, provider, way, server).await?, life).await
}

struct Set {
    world: World,
    integration: Integration,
}

async fn connected(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption, server: &Server) -> Result<Set, Failed> {
    let world = World::new(catalog, provider).await?;
    register_asking(&world, provider, "main", server, way, &["chat:write", "user_scope=search:read"]).await?;
    let integration = world.integration(world.config(Some(way), None)).await?;
    connect(&world, &integration).await?;
    let clocks = world.clocks(&integration).await?;
    let access: Vec<&str> = clocks.iter().filter(|clock| clock.kind == ClockKind::Access && clock.renew_at.is_some()).map(|clock| clock.token.as_str()).collect();
    must(access == [MAIN, USER], || format!("both have a clock by which they are renewed: {clocks:?}"))?;
    Ok(Set { world, integration })
}

impl Set {
    async fn works(&self, step: &'static str) -> Result<(), Failed> {
        self.world.works(&self.integration, step).await
    }

    async fn journal(&self) -> Result<Vec<JournalAttempt>, Failed> {
        let (account, id) = (self.integration.account_id.to_string(), self.integration.id.to_string());
        integration::journal(&self.world.engine, &self.world.grant, &account, &id).await.map_err(problem("the journal"))
    }

    /// The newest renewal: of which token, and how it ended.
    async fn newest(&self) -> Result<(String, RefreshStep), Failed> {
        self.journal().await?.first().map(|attempt| (attempt.token.clone(), attempt.outcome)).ok_or_else(|| "nothing was renewed".into())
    }

    async fn renewals_of(&self, token: &str) -> Result<usize, Failed> {
        Ok(self.journal().await?.iter().filter(|attempt| attempt.token == token && attempt.after.is_some()).count())
    }

    async fn renewed(&self, main: usize, user: usize, step: &str) -> Result<(), Failed> {
        let found = (self.renewals_of(MAIN).await?, self.renewals_of(USER).await?);
        must(found == (main, user), || format!("{step}: renewals of both tokens: {found:?}, not {:?}", (main, user)))
    }

    async fn status(&self) -> Result<IntegrationStatus, Failed> {
        self.world.status(&self.integration).await
    }

    /// The provider does this to one of the tokens alone.
    fn order(&self, fault: Fault, token: &str) {
        self.world.simulator.order(FaultOrder { token: Some(token.to_owned()), ..FaultOrder::once(fault) });
    }

    /// The clocks of both go apart: the main one's access ends early and is renewed, the other's stays.
    async fn apart(&self, life: u64) -> Result<(), Failed> {
        self.world.advance(life / 3);
        self.order(Fault::ExpireAccess, MAIN);
        self.works("the call after the bot's token ended").await?;
        self.renewed(1, 0, "the bot's token alone had ended").await
    }
}

/// Calls carry the bot's token alone; the person's is renewed when its own time has come, and then the bot's when its has.
async fn each_by_its_own_clock(set: &Set, life: u64) -> Result<(), Failed> {
    set.apart(life).await?;
    set.world.advance(life / 3 + 60);
    set.works("a call when the person's token is due").await?;
    set.renewed(1, 1, "the person's token was due, the bot's was not").await?;
    must(set.newest().await?.0 == USER, || "the journal says which token it was".to_owned())?;
    set.world.advance(life / 3);
    set.works("a call when the bot's token is due").await?;
    set.renewed(2, 1, "the bot's token was due, the person's was not").await?;
    must(set.newest().await? == (MAIN.to_owned(), RefreshStep::Proven), || "a call proves what it carries".to_owned())?;
    // Each refresh token was sent once, and every one was replaced.
    let mut sent: Vec<_> = set.world.asked("refresh_token").into_iter().map(|entry| (entry.sent, entry.outcome)).collect();
    must(sent.iter().all(|(_, outcome)| outcome == "granted"), || format!("a renewal was refused: {sent:?}"))?;
    let asked = sent.len();
    sent.dedup();
    must(asked == 3 && sent.len() == 3, || format!("{sent:?}"))?;
    must(set.status().await? == IntegrationStatus::Active, || "all is well".to_owned())
}

/// Nobody calls at that moment: each token's clock alone wakes the worker.
async fn by_the_worker(set: &Set, life: u64) -> Result<(), Failed> {
    set.apart(life).await?;
    set.world.used(&set.integration).await?;
    set.world.advance(life / 3 + 60);
    let renewals = renew_due(&set.world.engine).await.map_err(problem("the renewal that nobody asked for"))?;
    must(renewals == 1, || format!("{renewals} clocks were due"))?;
    set.renewed(1, 1, "the person's clock had come, the bot's had not").await?;
    let again = renew_due(&set.world.engine).await.map_err(problem("the renewal once more"))?;
    must(again == 0, || "it is renewed once".to_owned())?;
    // Both at once, side by side: neither answer overwrites the other's token.
    set.world.used(&set.integration).await?;
    set.world.advance(life);
    let (one, other) = tokio::join!(set.works("a call when both have ended"), renew_due(&set.world.engine));
    one?;
    other.map_err(problem("the renewal beside a call"))?;
    set.renewed(2, 2, "both had ended").await?;
    set.order(Fault::ExpireAccess, MAIN);
    set.order(Fault::ExpireAccess, USER);
    set.works("the call with what came of it").await?;
    set.renewed(3, 2, "the tokens in force are those that came last").await
}

/// The person's token is lost for good: the integration says so and goes on with the bot's, which is renewed as before.
async fn what_one_loses_leaves_the_other(set: &Set, life: u64) -> Result<(), Failed> {
    set.apart(life).await?;
    set.order(Fault::ExpireRefresh, USER);
    set.world.advance(life / 3 + 60);
    set.works("a call when the person's token is lost").await?;
    let lost = IntegrationStatus::NeedsAttention { cause: AttentionCause::TokenLost };
    must(set.status().await? == lost, || "a person is needed, and calls go on".to_owned())?;
    must(set.newest().await? == (USER.to_owned(), RefreshStep::Attention), || "the journal names the token that is lost".to_owned())?;
    let asked = set.world.asked("refresh_token").len();
    set.world.advance(life / 3);
    set.works("a call when the bot's token is due").await?;
    must(set.newest().await?.0 == MAIN && set.status().await? == lost, || "what works is not what was lost".to_owned())?;
    must(set.world.asked("refresh_token").len() == asked + 1, || "what is lost is not asked for again".to_owned())?;
    // The bot's is lost too: now nothing works, and that is what is said.
    set.order(Fault::ExpireRefresh, MAIN);
    set.world.advance(life);
    let refused = set.world.fails(&set.integration, "a call when both are lost").await?;
    must(refused.code == Code::NeedsReconnect, || format!("{:?}: {}", refused.code, refused.message))?;
    let status = set.status().await?;
    must(status == IntegrationStatus::NeedsAttention { cause: AttentionCause::RefreshRefused }, || format!("{status:?}"))?;
    connect(&set.world, &set.integration).await?;
    set.works("the call after a new consent").await?;
    must(set.status().await? == IntegrationStatus::Active, || "a new consent mends it".to_owned())
}

/// Somebody else has used a refresh token of the set: the provider ends the whole grant when the second use comes, whichever it is.
async fn reuse_of_either(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption, server: &Server) -> Result<(), Failed> {
    for token in [USER, MAIN] {
        let set = connected(catalog, provider, way, server).await?;
        set.order(Fault::ReuseRefresh, token);
        set.world.advance(server.lifetime.access.seconds.unwrap_or(43_200) + 1);
        // With the person's token the bot's was renewed before, and is refused by the same call or the next.
        let called = set.world.engine.probe(&set.world.now(&set.integration).await?).await;
        must(called.is_err() || token == USER, || "the bot's grant has ended".to_owned())?;
        let dead: Vec<String> = set.journal().await?.into_iter().filter(|attempt| attempt.outcome == RefreshStep::Attention).map(|attempt| attempt.token).collect();
        must(dead.iter().any(|name| name == token), || format!("the journal says of which token it was: {dead:?}"))?;
        let refused = set.world.fails(&set.integration, "the call after the grant ended").await?;
        let status = set.status().await?;
        must(matches!(status, IntegrationStatus::NeedsAttention { .. }) && status.as_str() == "needs_attention", || format!("{status:?}: {}", refused.message))?;
        connect(&set.world, &set.integration).await?;
        set.works("the call after a new consent").await?;
    }
    Ok(())
}

/// The answer to the renewal of the person's token is lost on the way: the doubt is about that token alone.
async fn an_answer_that_is_lost(set: &Set, life: u64) -> Result<(), Failed> {
    set.apart(life).await?;
    set.world.advance(life / 3 + 60);
    set.world.simulator.order(FaultOrder::once(Fault::LoseBefore));
    set.works("a call while an answer about the person's token is lost").await?;
    let attempts: Vec<_> = set.journal().await?.into_iter().map(|attempt| (attempt.token, attempt.outcome, attempt.sends)).collect();
    must(attempts.iter().all(|(token, outcome, _)| token == USER || *outcome != RefreshStep::Lost), || format!("{attempts:?}"))?;
    must(attempts.iter().any(|(token, outcome, _)| token == USER && *outcome == RefreshStep::Lost), || format!("its answer was lost: {attempts:?}"))?;
    must(set.status().await? == IntegrationStatus::Active, || "nobody is needed".to_owned())?;
    // The bot's is renewed meanwhile, and the doubt about the other stays what it is.
    set.world.advance(life / 3 + 60);
    set.works("a call when both have ended").await?;
    must(set.renewals_of(MAIN).await? == 2 && set.renewals_of(USER).await? >= 1, || "both are renewed".to_owned())?;
    must(set.status().await? == IntegrationStatus::Active, || "and all is well".to_owned())
}

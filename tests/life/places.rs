//! A consent that gives access to several places: one is chosen by a person, before anything of it is used.

use std::sync::Arc;

use libtest_mimic::Failed;
use patchbay_engine::consent::{self, BeginConsent, Platform};
use patchbay_engine::deletion::purge_due;
use patchbay_engine::integration;
use patchbay_engine::revocation::{self, revoke_due};
use patchbay_model::consent::{ConnectSession, ConnectState, ConsentRoute};
use patchbay_model::integration::{Integration, IntegrationStatus};
use patchbay_model::list::ListQuery;
use patchbay_model::revocation::{RevocationReason, RevocationState};
use patchbay_model::{Code, ConnectSessionId};
use patchbay_providers::manifest::{CredentialOption, Server};
use patchbay_providers::{Catalog, Provider};
use patchbay_simulator::{Fault, FaultOrder};

use crate::consent::{REDIRECT, connect, register};
use crate::world::{World, must, problem};

pub(crate) async fn life(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption) -> Result<(), Failed> {
    let server = provider.consent(&way.word).ok_or("nobody consents to this")?;
    let mut places = Places::new(catalog, provider, way, server).await?;
    places.none().await?;
    places.one_and_later_more().await?;
    places.several(catalog).await?;
    Places::new(catalog, provider, way, server).await?.nobody_chooses().await?;
    Places::new(catalog, provider, way, server).await?.deleted_meanwhile().await
}

struct Places {
    world: World,
    integration: Integration,
}

impl Places {
    async fn new(catalog: &Catalog, provider: &Arc<Provider>, way: &CredentialOption, server: &Server) -> Result<Self, Failed> {
        let world = World::new(catalog, provider).await?;
        register(&world, provider, "main", server, way).await?;
        let integration = world.integration(world.config(Some(way), None)).await?;
        Ok(Self { world, integration })
    }

    fn order(&self, count: u32) {
        self.world.simulator.order(FaultOrder::once(Fault::Places { count }));
    }

    /// A consent up to its answer.
    async fn answered(&self) -> Result<ConnectSession, Failed> {
        let route = Some(ConsentRoute::Paste);
        let begin = BeginConsent { integration: self.integration.id, route, platform: Platform::default(), redirect_uri: Some(REDIRECT.to_owned()), end_user: None };
        let begun = consent::begin(&self.world.engine, &self.world.grant, begin).await.map_err(problem("the beginning of the consent"))?;
        let page = begun.authorize_url.as_ref().ok_or("the consent has no page yet")?;
        let callback = self.world.simulator.consent(page, true).map_err(|page| Failed::from(format!("the provider's page says: {page}")))?;
        consent::finish(&self.world.engine, &self.world.grant, begun.session.id, callback.as_str()).await.map_err(problem("the answer"))
    }

    async fn choose(&self, session: ConnectSessionId, place: &str) -> Result<ConnectSession, patchbay_model::Problem> {
        consent::choose(&self.world.engine, &self.world.grant, session, place).await
    }

    async fn refused(&self, session: ConnectSessionId, place: &str, code: Code, what: &str) -> Result<(), Failed> {
        match self.choose(session, place).await {
            Ok(session) => Err(format!("{what} is taken: {:?}", session.state).into()),
            Err(problem) => must(problem.code == code, || format!("{what}: {:?}: {}", problem.code, problem.message)),
        }
    }

    async fn status(&self) -> Result<IntegrationStatus, Failed> {
        self.world.status(&self.integration).await
    }

    /// The person has access to nothing: there is nothing to be asked, and it is said.
    async fn none(&self) -> Result<(), Failed> {
        self.order(0);
        let session = self.answered().await?;
        let words = session.message.clone().unwrap_or_default();
        must(session.state == ConnectState::Completed && words.contains("no place"), || format!("{:?}: {words}", session.state))?;
        must(matches!(self.status().await?, IntegrationStatus::NeedsAttention { .. }), || "it cannot work".to_owned())
    }

    /// Where there is one, nobody is asked; and it stays that one when others come.
    async fn one_and_later_more(&self) -> Result<(), Failed> {
        self.order(1);
        connect(&self.world, &self.integration).await?;
        self.world.works(&self.integration, "the call for the only place").await?;
        self.order(3);
        self.world.works(&self.integration, "the call when there are more").await
    }

    /// A person is asked, and a process may end meanwhile.
    async fn several(&mut self, catalog: &Catalog) -> Result<(), Failed> {
        self.order(3);
        let session = self.answered().await?;
        must(session.state == ConnectState::Choosing && session.places.len() == 3, || format!("{session:?}"))?;
        let (other, known) = (session.places[0].id.clone(), session.places[2].id.clone());
        must(session.places.iter().all(|place| !place.name.is_empty() && place.id != place.name), || format!("{:?}", session.places))?;
        self.world.works(&self.integration, "a call with what was in force before").await?;
        self.refused(session.id, "never-offered", Code::InvalidField, "a place that was never offered").await?;
        self.refused(session.id, "", Code::InvalidField, "no place").await?;
        // Everything that was in memory is gone.
        self.world.open_again(catalog).await?;
        let found = consent::get(&self.world.engine, &self.world.grant, session.id).await.map_err(problem("the consent"))?;
        must(found.state == ConnectState::Choosing && found.places == session.places, || format!("{found:?}"))?;
        // Of several who choose at once, one does.
        let (one, two) = tokio::join!(self.choose(session.id, &known), self.choose(session.id, &known));
        let done = one.is_ok().then_some(&one).or(two.is_ok().then_some(&two));
        let Some(Ok(done)) = done else { return Err(format!("nobody could choose: {one:?} {two:?}").into()) };
        must(done.state == ConnectState::Completed && done.places.is_empty(), || format!("{done:?}"))?;
        must(one.is_err() != two.is_err(), || format!("both chose: {one:?} {two:?}"))?;
        self.refused(session.id, &known, Code::ConsentReplayed, "a choice that was made").await?;
        self.refused(session.id, &other, Code::ConsentReplayed, "another choice afterwards").await?;
        must(self.status().await? == IntegrationStatus::Active, || "it works".to_owned())?;
        self.world.works(&self.integration, "the call for the chosen place").await?;
        self.world.simulator.order(FaultOrder::once(Fault::ExpireAccess));
        self.world.works(&self.integration, "the call after a renewal").await?;
        // What was offered to somebody else, in another consent, is no place of this one.
        self.order(2);
        let again = self.answered().await?;
        self.refused(again.id, &other, Code::InvalidField, "a place of another consent").await?;
        must(again.state == ConnectState::Choosing && again.places.len() == 2, || format!("{again:?}"))?;
        self.choose(again.id, &known).await.map(drop).map_err(problem("the choice"))
    }

    /// What nobody chooses, or a person gives up, is taken back at the provider.
    async fn nobody_chooses(&self) -> Result<(), Failed> {
        self.order(2);
        let session = self.answered().await?;
        let cancelled = consent::cancel(&self.world.engine, &self.world.grant, session.id).await.map_err(problem("giving up"))?;
        must(cancelled.state == ConnectState::Cancelled && cancelled.places.is_empty(), || format!("{cancelled:?}"))?;
        self.taken_back(1).await?;
        self.refused(session.id, &session.places[0].id, Code::ConsentReplayed, "a choice after giving up").await?;
        // A newer consent takes its place.
        let before = self.answered().await?;
        let late = self.answered().await?;
        let ended = consent::get(&self.world.engine, &self.world.grant, before.id).await.map_err(problem("the consent before"))?;
        must(ended.state == ConnectState::Cancelled, || format!("{ended:?}"))?;
        self.taken_back(2).await?;
        self.world.advance(20 * 60 + 1);
        self.refused(late.id, &late.places[1].id, Code::ConsentExpired, "a choice that comes too late").await?;
        self.taken_back(3).await?;
        must(self.status().await? == IntegrationStatus::AwaitingConsent, || "nothing of it was ever used".to_owned())
    }

    /// An integration that is deleted meanwhile leaves nothing alive at the provider.
    async fn deleted_meanwhile(&self) -> Result<(), Failed> {
        self.order(2);
        self.answered().await?;
        let (account, id) = (self.integration.account_id.to_string(), self.integration.id.to_string());
        integration::delete(&self.world.engine, &self.world.grant, &account, &id).await.map_err(problem("the deletion"))?;
        self.world.advance(23 * 60);
        purge_due(&self.world.engine).await.map_err(problem("the end of what nobody finished"))?;
        self.taken_back(1).await?;
        purge_due(&self.world.engine).await.map_err(problem("the same once more"))?;
        self.taken_back(1).await
    }

    async fn taken_back(&self, times: usize) -> Result<(), Failed> {
        revoke_due(&self.world.engine).await.map_err(problem("the revocation"))?;
        let rows = revocation::list(&self.world.engine, &self.world.grant, ListQuery::default()).await.map_err(problem("the revocations"))?.items;
        must(rows.len() == times && rows.iter().all(|row| row.reason == RevocationReason::Abandoned), || format!("{rows:?}"))?;
        must(rows.iter().all(|row| row.state != RevocationState::Failed), || format!("{rows:?}"))
    }
}

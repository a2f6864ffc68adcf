//! A minted token never exceeds its minter: random callers mint, hand out first tokens, refresh, rotate and reset, and what
//! comes of it is held against what the caller could do, operation by operation and object by object.
//!
//! `PATCHBAY_CASES=10` tries ten times as much, `PATCHBAY_SEED=7` something else. A failure names its seed.

use std::collections::BTreeSet;

use patchbay_engine::account::{CreateAccount, FirstToken};
use patchbay_engine::member::CreateMember;
use patchbay_engine::role::CreateRole;
use patchbay_engine::token::{self, Bearer, ContainerState, CreateToken};
use patchbay_engine::{Grant, ManagementGrant, account, member, role};
use patchbay_model::account::Account;
use patchbay_model::connector::Connector;
use patchbay_model::list::ListQuery;
use patchbay_model::member::MemberType;
use patchbay_model::permission::{AccountSelector, IdOrAll, IntegrationSelector, OrganizationSelector, PermissionSet, ResourceScope};
use patchbay_model::{Code, Environment, Label, Operation, OrganizationId, Problem, Secret};

use crate::world::{World, caller};

const PASSWORD: &str = "correct horse battery 7";
const LABELS: [&str; 3] = ["gold", "silver", "bronze"];
const CATEGORIES: [Connector; 2] = [Connector::Ticketing, Connector::Identity];

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }

    /// Some of these, perhaps none, perhaps all.
    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| self.roll(2) == 0).cloned().collect()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(3) == 0).then(|| make(self))
    }

    fn ids<T: Clone>(&mut self, of: &[T]) -> Vec<IdOrAll<T>> {
        let mut ids: Vec<IdOrAll<T>> = self.some(of).into_iter().map(IdOrAll::Id).collect();
        if self.roll(4) == 0 {
            ids.push(IdOrAll::All);
        }
        ids
    }

    fn set(&mut self) -> PermissionSet {
        self.pick(&PermissionSet::ALL)
    }

    fn resources(&mut self, accounts: &[Account], organization: OrganizationId) -> ResourceScope {
        let known: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let labels: Vec<Label> = LABELS.iter().map(|label| Label::parse(label).unwrap()).collect();
        ResourceScope {
            organizations: self.maybe(|dice| OrganizationSelector { ids: dice.ids(&[organization]) }),
            accounts: self.maybe(|dice| AccountSelector {
                ids: dice.maybe(|dice| dice.ids(&known)),
                labels: dice.maybe(|dice| dice.some(&labels)),
                environments: dice.maybe(|dice| dice.some(&[Environment::Test, Environment::Prod])),
            }),
            integrations: self.maybe(|dice| IntegrationSelector { categories: dice.ids(&CATEGORIES) }),
        }
    }
}

/// Everything that a caller can do, as the engine enforces it: each operation on the organization, on each account, and on an
/// integration of each category there.
fn powers(grant: &ManagementGrant, accounts: &[Account]) -> BTreeSet<String> {
    let mut powers = BTreeSet::new();
    for operation in Operation::ALL {
        // What says nothing of an object says only that some object may be reached; the lists are compared for that.
        if patchbay_engine::permission::organization_wide(*operation) && grant.require(*operation, None).is_ok() {
            powers.insert(operation.id().to_owned());
        }
        for account in accounts {
            if grant.require(*operation, Some(account)).is_ok() {
                powers.insert(format!("{} {}", operation.id(), account.name));
            }
            for category in CATEGORIES {
                if grant.require_in(*operation, account, category).is_ok() {
                    powers.insert(format!("{} {} {}", operation.id(), account.name, category.as_str()));
                }
            }
        }
    }
    powers
}

async fn listed(world: &World, grant: &ManagementGrant) -> BTreeSet<String> {
    match account::list(&world.engine, grant, ListQuery { limit: Some(1000), ..ListQuery::default() }).await {
        Ok(rows) => rows.items.into_iter().map(|account| account.name.to_string()).collect(),
        Err(problem) => {
            assert_eq!(problem.code, Code::PermissionDenied);
            BTreeSet::new()
        }
    }
}

/// The caller that a fresh access secret makes; none for a token that covers nothing from its beginning.
async fn holder(world: &World, state: &ContainerState) -> ManagementGrant {
    let secret = state.primary.as_ref().unwrap().access.secret.as_ref().unwrap().expose().to_owned();
    world.management(&secret).await
}

/// A refusal has to be one of these; anything else is a fault.
fn refused(problem: &Problem) -> bool {
    matches!(problem.code, Code::PermissionDenied | Code::NotFound)
}

struct Scene {
    world: World,
    accounts: Vec<Account>,
    /// Callers with the containers that they hold, where these are minted ones.
    callers: Vec<ManagementGrant>,
    containers: Vec<ContainerState>,
}

async fn scene(dice: &mut Dice) -> Scene {
    let world = World::new().await;
    let mut accounts = Vec::new();
    for number in 0..6 {
        let labels = dice.some(&LABELS);
        let environment = dice.pick(&[Environment::Test, Environment::Prod]);
        let name = format!("account-{number}");
        accounts.push(world.account(&name, environment, &labels).await);
        world.mock(&name, "tickets").await;
    }
    let organization = world.grant.organization();
    let mut callers = vec![world.grant.clone()];
    // Members with several roles: what one of them has no other one lends.
    for number in 0..6 {
        let mut bound = Vec::new();
        for place in 0..=dice.roll(3) {
            let any = dice.set();
            let permission_set = dice.pick(&[PermissionSet::Administrator, PermissionSet::AccountManager, PermissionSet::Viewer, PermissionSet::AccountProvisioner, any]);
            let new =
                CreateRole { name: Some(format!("role-{number}-{place}")), fullname: None, description: None, resources: dice.resources(&accounts, organization), permission_set };
            bound.push(role::create(&world.engine, &world.grant, new).await.unwrap().name.to_string());
        }
        let name = format!("person-{number}@example.com");
        let new = CreateMember {
            name: name.clone(),
            fullname: None,
            nickname: None,
            picture: None,
            secret: Some(Secret::new(PASSWORD)),
            role_binding: bound,
            member_type: MemberType::Personal,
            ttl: None,
            token_ttl: None,
            options: Vec::new(),
        };
        member::create(&world.engine, &world.grant, new).await.unwrap();
        let logon = member::logon(&world.engine, &organization.to_string(), &name, Secret::new(PASSWORD), caller()).await.unwrap();
        callers.push(holder(&world, &logon.token).await);
    }
    Scene { world, accounts, callers, containers: Vec::new() }
}

impl Scene {
    /// What came of a caller's deed must be within the caller.
    async fn within(&self, minter: &ManagementGrant, minted: &ManagementGrant, what: &str) {
        let (outer, inner) = (powers(minter, &self.accounts), powers(minted, &self.accounts));
        let beyond: Vec<_> = inner.difference(&outer).take(5).collect();
        assert!(beyond.is_empty(), "{what}: the token can do {beyond:?}, its minter cannot: {:?} from {:?}", minted.permits(), minter.permits());
        let (outer, inner) = (listed(&self.world, minter).await, listed(&self.world, minted).await);
        assert!(inner.is_subset(&outer), "{what}: the token lists {inner:?}, its minter {outer:?}");
    }

    async fn mint(&mut self, dice: &mut Dice, by: &ManagementGrant, what: &str) -> bool {
        let wished = CreateToken { name: None, fullname: None, resources: dice.resources(&self.accounts, by.organization()), permission_set: dice.set(), token_ttl: None };
        match token::mint(&self.world.engine, by, wished).await {
            Ok(state) => {
                let minted = holder(&self.world, &state).await;
                self.within(by, &minted, what).await;
                self.containers.push(state);
                self.callers.push(minted);
                true
            }
            Err(problem) => {
                assert!(refused(&problem), "{what}: {problem:?}");
                false
            }
        }
    }

    /// The first token of a new account is over that account and nothing else, and within the caller but for a provisioner,
    /// whose set is made to hand out what it has not.
    async fn provision(&self, dice: &mut Dice, by: &ManagementGrant, what: &str) -> bool {
        let any = dice.set();
        let permission_set = dice.pick(&[PermissionSet::AccountManager, PermissionSet::ConnectUi, PermissionSet::TokenIssuer, any]);
        let new = CreateAccount {
            environment: Some(dice.pick(&[Environment::Test, Environment::Prod])),
            labels: dice.some(&LABELS).into_iter().map(ToOwned::to_owned).collect(),
            token: Some(FirstToken { permission_set, token_ttl: None, name: None, fullname: None }),
            ..CreateAccount::default()
        };
        let made = match account::create(&self.world.engine, by, new).await {
            Ok(made) => made,
            Err(problem) => {
                assert!(refused(&problem) || problem.code == Code::InvalidField, "{what}: {problem:?}");
                return false;
            }
        };
        let minted = holder(&self.world, &made.token.unwrap()).await;
        assert!(powers(&minted, &self.accounts).is_empty(), "{what}: a first token reaches other accounts: {:?}", minted.permits());
        if by.permits().iter().all(|permit| permit.permission_set != PermissionSet::AccountProvisioner) {
            let here = std::slice::from_ref(&made.account);
            let beyond: Vec<_> = powers(&minted, here).difference(&powers(by, here)).cloned().collect();
            assert!(beyond.is_empty(), "{what}: the first token can do {beyond:?} in its account, its minter cannot");
        }
        true
    }

    /// Whoever gets a fresh secret of a container could have minted it.
    async fn renew(&self, dice: &mut Dice, by: &ManagementGrant, what: &str) -> bool {
        let Some(container) = (!self.containers.is_empty()).then(|| dice.roll(self.containers.len())).map(|index| &self.containers[index].container) else { return false };
        let (owner, id) = (by.organization().to_string(), container.id.to_string());
        let renewed = match dice.roll(3) {
            0 => token::refresh(&self.world.engine, Bearer::Management(by), &id).await,
            1 => token::rotate(&self.world.engine, by, &owner, &id).await,
            _ => token::reset(&self.world.engine, Bearer::Management(by), &owner, &id).await,
        };
        match renewed {
            Ok(state) => {
                self.within(by, &holder(&self.world, &state).await, what).await;
                true
            }
            Err(problem) => {
                assert!(refused(&problem), "{what}: {problem:?}");
                false
            }
        }
    }

    /// A token of an integration is given to whoever may mint it there, and to nobody else.
    async fn connect(&self, dice: &mut Dice, by: &ManagementGrant, what: &str) -> bool {
        let account = dice.pick(&self.accounts);
        let may = by.permits().iter().any(|permit| {
            patchbay_engine::permission::allows(permit.permission_set, Operation::TokensCreateIntegration)
                && permit.resources.covers_account(&account)
                && permit.resources.covers_category(Connector::Ticketing)
        });
        let made = token::mint_integration(&self.world.engine, by, &account.id.to_string(), "tickets", None, None).await;
        assert_eq!(made.is_ok(), may, "{what}: {:?} on {}: {:?}", by.permits(), account.name, made.as_ref().err());
        if let Ok(state) = made {
            let secret = state.primary.unwrap().access.secret.unwrap();
            let Grant::Connector(grant) = self.world.verify(secret.expose()).await.unwrap() else { panic!("{what}: not a token of an integration") };
            assert_eq!(grant.account(), account.id, "{what}");
        }
        may
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_never_exceeds_who_made_it() {
    let scale: f64 = std::env::var("PATCHBAY_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let seed: u64 = std::env::var("PATCHBAY_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_122);
    let mut dice = Dice(seed);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rounds")]
    let rounds = (scale * 8.0).ceil() as usize;
    let mut done = [0_usize; 4];
    for round in 0..rounds {
        let mut scene = scene(&mut dice).await;
        for step in 0..120 {
            let what = format!("seed {seed}, round {round}, step {step}");
            let by = dice.pick(&scene.callers);
            let kind = dice.roll(6).saturating_sub(2);
            let worked = match kind {
                0 => scene.mint(&mut dice, &by, &what).await,
                1 => scene.provision(&mut dice, &by, &what).await,
                2 => scene.renew(&mut dice, &by, &what).await,
                _ => scene.connect(&mut dice, &by, &what).await,
            };
            done[kind] += usize::from(worked);
        }
    }
    assert!(done.iter().all(|number| *number > 2 * rounds), "seed {seed}: something hardly ever worked, so that nothing was tried: {done:?}");
}

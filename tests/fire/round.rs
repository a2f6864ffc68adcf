//! Rounds of a variant, one after the other, on one integration that keeps its id.

use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_engine::account::CreateAccount;
use patchbay_engine::consent::{self, BeginConsent, Platform};
use patchbay_engine::installation::{self, StoreUrl};
use patchbay_engine::integration::CreateIntegration;
use patchbay_engine::provider_app::CreateProviderApp;
use patchbay_engine::{Engine, ManagementGrant};
use patchbay_model::consent::ConsentRoute;
use patchbay_model::integration::Integration;
use patchbay_model::refresh::StepTaken;
use patchbay_model::{Context, CredentialId, Origin, Scope};
use patchbay_store::{PostgresAddress, Store};
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};
use serde_json::json;

use crate::cluster::{Database, LOGIN};
use crate::count::{Count, INJECTIONS, Injection, Round};
use crate::peer::{CODE, Fault, Peer, Reuse};
use crate::worker::{self, Worker};

pub(crate) const PROCESSES: usize = 4;
const REDIRECT_URI: &str = "http://127.0.0.1:4711/oauth/callback";
/// Each injection once.
const FEW: u32 = 10;
/// So many that the processors have something to do while a death is left alone.
const LANES: u32 = 5;
/// How often it is looked what the processes say. A death that waits so long is as good a death.
const LISTEN: Duration = Duration::from_millis(10);
/// Far longer than a round may take, so that one without an end fails in words.
const END: Duration = Duration::from_secs(120);

/// Numbers that look random and are the same for a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

struct World {
    engine: Engine,
    grant: ManagementGrant,
    integration: Integration,
    store: Store,
}

/// Runs every round of a variant, in lanes that share nothing: most of a round with a death in it is waiting.
pub(crate) fn all(name: &'static str, reuse: Reuse, database: Option<fn() -> Database>) {
    let rounds = u32::try_from(setting("FIRE").unwrap_or(u64::from(FEW))).unwrap();
    let lanes = u32::try_from(setting("FIRE_LANES").unwrap_or(u64::from(LANES))).unwrap();
    let seed = setting("PATCHBAY_SEED").unwrap_or(1);
    let begun = Instant::now();
    let running: Vec<_> = (0..lanes)
        .map(|lane| {
            let database = database.map(|database| database());
            // A lane asks its workers in turn and waits for none of them, so that it wants a thread of its own.
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
                runtime.block_on(run(name, reuse, database, (lane..rounds).step_by(lanes as usize), seed + u64::from(lane)))
            })
        })
        .collect();
    let mut count = Count::default();
    for lane in running {
        match lane.join() {
            Ok(of_lane) => count.join(of_lane),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    println!("{}", count.sentence(name, seed, begun.elapsed().as_secs_f64()));
}

async fn run(name: &'static str, reuse: Reuse, database: Option<Database>, rounds: impl Iterator<Item = u32>, seed: u64) -> Count {
    let folder = tempfile::tempdir().unwrap();
    let (peer, mut held) = Peer::start(reuse).await;
    let address = database.as_ref().map(|database| database.url(LOGIN));
    let (place, text): (StoreUrl, String) = match &address {
        Some(url) => (url.parse().unwrap(), url.clone()),
        None => (StoreUrl::Sqlite(folder.path().join("store.db")), format!("sqlite:{}", folder.path().join("store.db").display())),
    };
    let key = folder.path().join("store.key");
    let context = Context::new(Arc::new(SystemClock), Arc::new(OsEntropy));
    let (engine, created) = installation::create(&place, &KeyAccess::from(KeySource::File(key.clone())), "Acme Tools", context.clone()).await.unwrap();
    engine.shutdown().await;
    drop(engine);
    let engine = crate::open(&place, &key, context).await;
    let world = World::new(engine, created.organization.id, &peer, &folder.path().join("store.db"), address.as_deref()).await;
    let work = worker::work(&text, &key, &created.organization.id.to_string(), &world.integration.account_id.to_string(), &world.integration.id.to_string());
    let mut workers: Vec<Worker> = (0..PROCESSES).map(|_| Worker::start(name, &work)).collect();

    let mut dice = Dice(seed);
    let mut count = Count::default();
    for number in rounds {
        // Each once, and then as they fall.
        let injection = INJECTIONS.get(number as usize).copied().unwrap_or_else(|| INJECTIONS[dice.roll(INJECTIONS.len())]);
        let (seen, newest) = (peer.seen().len(), world.steps().await.pop());
        let killed = fire(&peer, &mut held, &mut workers, injection, dice.roll(PROCESSES)).await;
        if killed.is_some() {
            for worker in &mut workers {
                if !worker.is_alive() {
                    *worker = Worker::start(name, &work);
                }
            }
        }
        // A round that killed whoever began leaves it to the next one to go on.
        drop(world.engine.probe(&world.integration).await);
        let round = Round {
            number,
            injection,
            killed: killed.map(|(step, at)| (step, at - seen)),
            seen: peer.seen().split_off(seen),
            told: peer.told(),
            status: world.now().await.status,
            steps: {
                let steps = world.steps().await;
                let first = newest.and_then(|newest| steps.iter().rposition(|step| *step == newest)).map_or(0, |at| at + 1);
                steps[first..].to_vec()
            },
        };
        if count.add(reuse, &round) {
            world.connect().await;
        }
    }
    drop(workers);
    world.engine.shutdown().await;
    count
}

/// One round: every process uses the integration, and something is done to one of them or to an answer. Gives the step at which
/// one was killed, and how many refreshes the provider had seen by then.
async fn fire(peer: &Peer, held: &mut tokio::sync::mpsc::UnboundedReceiver<()>, workers: &mut [Worker], injection: Injection, victim: usize) -> Option<(String, usize)> {
    peer.expire_access();
    peer.set_fault(match injection {
        Injection::LoseBefore => Some(Fault::LoseBefore),
        Injection::LoseAfter => Some(Fault::LoseAfter),
        Injection::KillInFlight => Some(Fault::Hold),
        Injection::Nothing | Injection::Kill(_) => None,
    });
    for (number, worker) in workers.iter_mut().enumerate() {
        // Whoever comes to the step first: which process sends is nobody's choice. Before the intent it may be any one.
        let stop = match injection {
            Injection::Kill("before_begin") if number != victim => "",
            Injection::Kill(step) => step,
            _ => "",
        };
        worker.begin(stop);
    }
    let mut killed = None;
    let mut sender = None;
    let mut holds = false;
    let mut done = vec![false; workers.len()];
    let end = Instant::now() + END;
    while done.iter().any(|done| !done) {
        assert!(Instant::now() < end, "{injection:?}: a round has no end; done {done:?}, killed {killed:?}");
        let mut quiet = true;
        for number in 0..workers.len() {
            if done[number] {
                continue;
            }
            let Some(line) = workers[number].heard() else { continue };
            quiet = false;
            if line.starts_with("done") {
                done[number] = true;
            } else if line == "sent" {
                sender.get_or_insert(number);
            } else if let Some(step) = line.strip_prefix("at ") {
                if killed.is_none() {
                    killed = Some((step.to_owned(), peer.seen().len()));
                    workers[number].kill();
                    done[number] = true;
                    // One is enough: the others go on past that step.
                    workers.iter_mut().for_each(Worker::release);
                } else {
                    workers[number].release();
                }
            }
        }
        holds |= held.try_recv().is_ok();
        // Whoever sent has said so before the request arrived, and is heard sooner or later.
        if let (true, None, Some(number)) = (holds, &killed, sender) {
            killed = Some(("in flight".to_owned(), peer.seen().len()));
            workers[number].kill();
            done[number] = true;
        }
        if quiet {
            tokio::time::sleep(LISTEN).await;
        }
    }
    killed
}

impl World {
    async fn new(engine: Engine, organization: patchbay_model::OrganizationId, peer: &Peer, file: &std::path::Path, address: Option<&str>) -> Self {
        let grant = engine.local_grant(organization, Origin::Desktop).await.unwrap();
        let account = patchbay_engine::account::create(&engine, &grant, CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() }).await.unwrap().account;
        let app = CreateProviderApp {
            name: Some("our-client".to_owned()),
            fullname: None,
            provider: "identity_openid".to_owned(),
            issuer: Some(peer.issuer.clone()),
            client_id: "us".to_owned(),
            client_secret: None,
            redirect_uris: vec!["http://127.0.0.1/oauth/callback".to_owned()],
            scopes: Vec::new(),
            secret_expires: None,
        };
        patchbay_engine::provider_app::create(&engine, &grant, app).await.unwrap();
        let config = json!({ "type": "identity_openid", "issuer": peer.issuer, "credential": { "type": "o_auth_user" } });
        let new = CreateIntegration { name: Some("sign-in".to_owned()), provider_config: config, ..CreateIntegration::default() };
        let integration = patchbay_engine::integration::create(&engine, &grant, account.id.to_string().as_str(), new).await.unwrap().integration;
        let store = match address {
            Some(address) => Store::connect(&PostgresAddress::of(&address.parse().unwrap()).unwrap()).await.unwrap(),
            None => Store::open(file).await.unwrap(),
        };
        let world = Self { engine, grant, integration, store };
        world.connect().await;
        world
    }

    /// A whole consent; the person's part is only the way back.
    async fn connect(&self) {
        let begin = BeginConsent {
            integration: self.integration.id,
            route: Some(ConsentRoute::Browser),
            platform: Platform::default(),
            redirect_uri: Some(REDIRECT_URI.to_owned()),
            end_user: None,
        };
        let begun = consent::begin(&self.engine, &self.grant, begin).await.unwrap();
        let state = begun.authorize_url.as_ref().expect("the leg is open").query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        consent::finish(&self.engine, &self.grant, begun.session.id, &format!("{REDIRECT_URI}?code={CODE}&state={state}")).await.unwrap();
    }

    async fn now(&self) -> Integration {
        patchbay_engine::integration::get(&self.engine, &self.grant, &self.integration.account_id.to_string(), &self.integration.id.to_string()).await.unwrap()
    }

    /// The end of the journal, oldest step first.
    async fn steps(&self) -> Vec<StepTaken> {
        let now = self.now().await;
        let credential: CredentialId = now.config["credential"]["value"].as_str().unwrap().parse().unwrap();
        let mut tx = self.store.read(Scope::Account(now.organization_id, now.account_id)).await.unwrap();
        let mut steps = tx.refresh_steps(credential, 200).await.unwrap();
        steps.reverse();
        steps
    }
}

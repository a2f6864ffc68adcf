//! Two machines on one database whose clocks differ: what the one lets live is not ended by the other.

use std::sync::Arc;

use patchbay_model::{Clock, Code, Context};
use patchbay_vault::{KeyAccess, KeySource, OsEntropy, SystemClock};

use super::*;
use crate::account::CreateAccount;
use crate::installation::{self, StoreUrl};
use crate::{CallerInfo, NetworkPolicy, token};

#[path = "../../../store/tests/suite/cluster.rs"]
mod cluster;
use cluster::{ADMINISTRATOR, Cluster, LOGIN};

/// The machine's clock, so many seconds ahead.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(SystemClock.now().unix_micros() + self.0 * 1_000_000).unwrap()
    }
}

fn ahead(seconds: i64) -> Context {
    Context::new(Arc::new(Ahead(seconds)), Arc::new(OsEntropy))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_takes_nothing_away_early() {
    let database = Cluster::get().empty(LOGIN);
    let folder = tempfile::tempdir().unwrap();
    let store: StoreUrl = database.url(LOGIN).parse().unwrap();
    let keys = KeyAccess::from(KeySource::File(folder.path().join("store.key")));
    let (right, created) = installation::create(&store, &keys, "Acme", ahead(0)).await.unwrap();
    let open = async |seconds| installation::open(&store, &keys, ahead(seconds), NetworkPolicy::default(), Origin::Cli).await.unwrap();
    // A day, so that for it everything that lives for minutes or hours is over.
    let (fast, slow) = (open(86_401).await, open(-86_401).await);
    let grant = right.local_grant(created.organization.id, Origin::Cli).await.unwrap();
    crate::account::create(&right, &grant, CreateAccount { name: Some("globex".to_owned()), ..CreateAccount::default() }).await.unwrap();
    let deletion = crate::account::delete(&right, &grant, "globex").await.unwrap();
    let access = created.token.primary.unwrap().access.secret.unwrap();
    let verify = async |engine: &Engine| engine.verify(access.expose(), CallerInfo::local(Origin::Api)).await.map(drop).map_err(|problem| problem.code);

    purge_once(&fast).await.unwrap();
    assert_eq!(verify(&fast).await, Err(Code::TokenInvalid), "by its own clock the token has ended");
    assert_eq!(verify(&right).await, Ok(()), "and where it has not ended it is still there");
    crate::deletion::undo(&right, &grant, &deletion.id.to_string()).await.unwrap();
    assert_eq!(crate::account::get(&right, &grant, "globex").await.unwrap().name.as_str(), "globex");

    // What has ended by both goes.
    let brief = token::mint(&right, &grant, lived("30s")).await.unwrap();
    let secrets = "SELECT count(*) FROM patchbay.token_secrets WHERE container_id = ";
    let left = || database.psql(ADMINISTRATOR, &format!("{secrets}'{}' AND kind LIKE '%access%'", brief.container.id)).unwrap();
    assert_eq!(left(), "1");
    database
        .psql(ADMINISTRATOR, "UPDATE patchbay.token_secrets SET expires = clock_timestamp() - interval '1 second' WHERE expires < clock_timestamp() + interval '1 minute'")
        .unwrap();
    purge_once(&slow).await.unwrap();
    assert_eq!(left(), "1", "a clock that is behind waits for its own time");
    purge_once(&fast).await.unwrap();
    assert_eq!(left(), "0");
    for engine in [right, fast, slow] {
        engine.shutdown().await;
    }
}

fn lived(long: &str) -> token::CreateToken {
    token::CreateToken {
        name: None,
        fullname: None,
        resources: patchbay_model::permission::ResourceScope::default(),
        permission_set: patchbay_model::permission::PermissionSet::Viewer,
        token_ttl: Some(long.to_owned()),
    }
}

//! The life of every credential that the catalog knows, through the engine and over the wire, with providers that the simulator plays
//! from the same manifests: entered or granted, used, renewed, ended at the provider, replaced.
//!
//! There is one trial for each way to authenticate of each manifest, one more where a consent gives several tokens or access to several places,
//! or where answers are signed, and one for what can be told of its app without a person. What a trial proves is that manifest, engine and simulator agree.

mod consent;
mod keys;
mod places;
mod preflight;
mod revoking;
mod sets;
mod signed;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use patchbay_providers::manifest::call::Pick;
use patchbay_providers::manifest::{Auth, Base};
use patchbay_providers::{Catalog, Provider};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(8 << 20).build() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => return told(&error),
    };
    let catalog = match Catalog::builtin() {
        Ok(catalog) => catalog,
        Err(error) => return told(&error),
    };
    let mut trials = Vec::new();
    for provider in catalog.providers() {
        let ways: Vec<String> = provider.manifest().credential.iter().map(|way| way.word.clone()).collect();
        let before = trials.len();
        for word in &ways {
            let (runtime, catalog, provider, word) = (runtime.clone(), catalog.clone(), provider.clone(), word.clone());
            let name = format!("{}::{word}", provider.id());
            trials.push(Trial::test(name, move || runtime.block_on(life(&catalog, &provider, &word))));
        }
        for way in provider.manifest().credential.iter().filter(|way| matches!(way.auth, Auth::Consent { .. })).take(1) {
            let (runtime, catalog, provider, way) = (runtime.clone(), catalog.clone(), provider.clone(), way.clone());
            let name = format!("{}::preflight", provider.id());
            trials.push(Trial::test(name, move || runtime.block_on(preflight::trial(&catalog, &provider, &way))));
        }
        for way in provider.manifest().credential.iter().filter(|way| provider.consent(&way.word).is_some_and(|server| server.answer.tokens.len() > 1)) {
            let (runtime, catalog, provider, way) = (runtime.clone(), catalog.clone(), provider.clone(), way.clone());
            let name = format!("{}::{}::set", provider.id(), way.word);
            trials.push(Trial::test(name, move || runtime.block_on(sets::life(&catalog, &provider, &way))));
        }
        if let Base::Lookup(lookup) = &provider.manifest().base
            && matches!(lookup.pick, Pick::Asked { .. })
        {
            for way in provider.manifest().credential.iter().filter(|way| provider.consent(&way.word).is_some()) {
                let (runtime, catalog, provider, way) = (runtime.clone(), catalog.clone(), provider.clone(), way.clone());
                let name = format!("{}::{}::places", provider.id(), way.word);
                trials.push(Trial::test(name, move || runtime.block_on(places::life(&catalog, &provider, &way))));
            }
        }
        for way in provider.manifest().credential.iter().filter(|way| provider.consent(&way.word).is_some_and(|server| server.callback.signed.is_some())) {
            let (runtime, catalog, provider, way) = (runtime.clone(), catalog.clone(), provider.clone(), way.clone());
            let name = format!("{}::{}::signed", provider.id(), way.word);
            trials.push(Trial::test(name, move || runtime.block_on(signed::life(&catalog, &provider, &way))));
        }
        if trials.len() == before {
            let (runtime, catalog, provider) = (runtime.clone(), catalog.clone(), provider.clone());
            trials.push(Trial::test(format!("{}::none", provider.id()), move || runtime.block_on(keys::nothing(&catalog, &provider))));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The life of one way to authenticate.
async fn life(catalog: &Catalog, provider: &Arc<Provider>, word: &str) -> Result<(), Failed> {
    let way = provider.way(word).ok_or("the way is not in its manifest")?;
    match &way.auth {
        Auth::Consent { .. } => consent::life(catalog, provider, way).await,
        _ => keys::life(catalog, provider, way).await,
    }
}

fn told(error: &dyn std::fmt::Display) -> ExitCode {
    // The harness has not begun: standard error is all there is.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{error}\n").as_bytes());
    ExitCode::FAILURE
}

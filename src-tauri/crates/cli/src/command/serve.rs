//! `patchbay serve`: the API and the web interface.

use std::future::Future;

use patchbay_engine::{Engine, NetworkPolicy};
use patchbay_model::{Code, Problem};
use patchbay_server::{Cidr, ServeOptions, Server, TlsFiles};
use serde_json::json;

use crate::arguments::{OrganizationArguments, Serve};
use crate::failure::Failure;
use crate::installation::{open, organization};
use crate::output::Output;

pub(crate) async fn run(arguments: Serve, output: &Output) -> Result<(), Failure> {
    // What cannot be served is wrong usage, and is said before a store is touched.
    let options = options(&arguments)?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    // Before the address is told: whoever reads it may send the signal at once.
    let ended = end_signal()?;
    let engine = open(&arguments.store, NetworkPolicy { allow_private: arguments.allow_private_networks }).await?;
    let done = serve(&engine, options, scheme, &arguments, ended, output).await;
    engine.shutdown().await;
    done
}

async fn serve(engine: &Engine, options: ServeOptions, scheme: &str, arguments: &Serve, ended: impl Future<Output = ()> + Send, output: &Output) -> Result<(), Failure> {
    let server = Server::bind(engine.clone(), options).await?;
    let link = match arguments.setup_link {
        true => Some(setup_link(engine, &arguments.organization, &server).await?),
        false => None,
    };
    let listening = format!("{scheme}://{}", server.address()?);
    output.progress(&format!("listening on {listening}"));
    if let Some(link) = link {
        output.progress(&link);
    }
    output.line_for_programs(&json!({ "listening": listening }));
    server.run(ended).await?;
    output.progress("stopped");
    Ok(())
}

fn options(arguments: &Serve) -> Result<ServeOptions, Failure> {
    let block = |text: &String| text.parse::<Cidr>().map_err(|problem| Failure::usage(format!("--trusted-proxy: {}", problem.message)));
    let options = ServeOptions {
        public_url: arguments
            .public_url
            .as_deref()
            .map(|text| text.parse().map_err(|_| Failure::usage("--public-url: this is not a URL. Give one such as https://patchbay.example.com.")))
            .transpose()?,
        tls: arguments.tls_cert.clone().zip(arguments.tls_key.clone()).map(|(certificate, key)| TlsFiles { certificate, key }),
        trusted_proxies: arguments.trusted_proxy.iter().map(block).collect::<Result<_, _>>()?,
        store_label: arguments.store.store.label(),
        store_kind: (&arguments.store.store).into(),
        ..ServeOptions::local(arguments.listen)
    };
    options.check().map_err(|problem| match problem.code {
        Code::InvalidField => Failure::usage(format!("--public-url: {}", problem.message)),
        _ => Failure::usage(problem.message),
    })?;
    Ok(options)
}

/// Whoever opens the link is signed in as the first member, once. It is printed for the person at this terminal and is not
/// written to the log.
async fn setup_link(engine: &Engine, wanted: &OrganizationArguments, server: &Server) -> Result<String, Failure> {
    let organization = organization(engine, wanted).await?;
    let (secret, expires) = patchbay_engine::session::create_setup_link(engine, organization).await?;
    Ok(format!("Open this link once, until {expires}, to sign in:\n  {}#setup={}", server.url(), secret.expose()))
}

/// Done when the process is asked to end: SIGTERM or SIGINT, Ctrl-C elsewhere.
fn end_signal() -> Result<impl Future<Output = ()> + Send, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let unheard = |error: std::io::Error| Problem::internal(format_args!("signals cannot be listened to ({error})"));
        let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // An error would mean that Ctrl-C cannot be heard; then only the end of the process ends it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

//! `patchbay serve`: the API and the web interface.

use std::time::Duration;

use patchbay_engine::{Engine, NetworkPolicy};
use patchbay_model::{Code, Problem};
use patchbay_server::{Cidr, ServeOptions, Server, TlsFiles};
use serde_json::json;
use tokio::sync::watch;

use crate::arguments::{OrganizationArguments, Serve};
use crate::failure::Failure;
use crate::installation::{only_samples, open, organization, rehearsal};
use crate::output::Output;

/// How long the counters, leases and connections of the store may take at an end that was asked for twice.
const HASTE: Duration = Duration::from_secs(5);

pub(crate) async fn run(arguments: Serve, output: &Output) -> Result<(), Failure> {
    // What cannot be served is wrong usage, and is said before a store is touched.
    let options = options(&arguments)?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    // Before the address is told: whoever reads it may send the signal at once.
    let signals = signals(Duration::from_secs(arguments.drain))?;
    let rehearsal = arguments.rehearse.as_deref().map(rehearsal).transpose()?;
    let network = NetworkPolicy { allow_private: arguments.allow_private_networks, rehearsal };
    if rehearsal.is_some() {
        only_samples(&arguments.store).await?;
    }
    let engine = open(&arguments.store, network).await?;
    patchbay_engine::backup::start(&engine);
    let done = serve(&engine, options, scheme, &arguments, &signals, output).await;
    tokio::select! {
        () = engine.shutdown() => {}
        () = async {
            signals.asked(2).await;
            tokio::time::sleep(HASTE).await;
        } => output.progress("what was under way in the background could not be given back in time; other servers take it over when its leases end"),
    }
    let cut = done?;
    if cut > 0 {
        let message = format!("{cut} requests were still running and were cut off. Ask once only, or give them longer, where that must not be.");
        return Err(Problem::new(Code::ShuttingDown, message).into());
    }
    output.progress("stopped");
    Ok(())
}

/// Serves until the program is asked to end. Gives how many requests were cut off.
async fn serve(engine: &Engine, options: ServeOptions, scheme: &str, arguments: &Serve, signals: &Signals, output: &Output) -> Result<usize, Failure> {
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
    let leave = async {
        let grace = signals.asked(1).await;
        output.progress("asked to end; running requests are finished first, asking again cuts them off");
        grace
    };
    let cut = async {
        signals.asked(2).await;
    };
    Ok(server.run_until(leave, cut).await)
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

/// How often the process was asked to end, and how long others are to be given to notice.
#[derive(Clone, Copy, Default)]
struct Asked {
    times: u32,
    grace: Duration,
}

/// Hears when the process is asked to end: SIGTERM or SIGINT, Ctrl-C elsewhere.
struct Signals(watch::Receiver<Asked>);

impl Signals {
    /// Done when the process was asked so many times; gives how long others need to notice.
    async fn asked(&self, times: u32) -> Duration {
        let mut asked = self.0.clone();
        let heard = asked.wait_for(|asked| asked.times >= times).await.map(|asked| asked.grace);
        // The task that hears is gone only together with the runtime.
        heard.unwrap_or(Duration::ZERO)
    }
}

/// A supervisor sends SIGTERM, and what sends requests here must get to know of it first; for that it has `grace`. A person at
/// the terminal sends SIGINT and wants the end.
fn signals(grace: Duration) -> Result<Signals, Failure> {
    let (told, asked) = watch::channel(Asked::default());
    let again = move |grace: Duration| {
        told.send_modify(|asked| {
            if asked.times == 0 {
                asked.grace = grace;
            }
            asked.times += 1;
        });
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let unheard = |error: std::io::Error| Problem::internal(format_args!("signals cannot be listened to ({error})"));
        let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(()) = terminate.recv() => again(grace),
                    Some(()) = interrupt.recv() => again(Duration::ZERO),
                    else => return,
                }
            }
        });
    }
    #[cfg(not(unix))]
    tokio::spawn(async move {
        // An error would mean that Ctrl-C cannot be heard; then only the end of the process ends it.
        let _ = grace;
        while tokio::signal::ctrl_c().await.is_ok() {
            again(Duration::ZERO);
        }
    });
    Ok(Signals(asked))
}

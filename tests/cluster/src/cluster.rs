//! A cluster: how it starts, moves from minor to minor, and ends.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use eks_model::KubeMinor;
use kube::api::{Api, PostParams};
use tokio::time::Instant;

use crate::credentials::{Tokens, private_file, read, reader_role};
use crate::error::ClusterError;
use crate::flags::{self, Place};
use crate::folder::{DataFolder, sweep};
use crate::launcher::{Launcher, Order};
use crate::options::{ADMIN, Options};
use crate::port::Port;
use crate::programs::{Program, Programs, newest_minor, oldest_minor};
use crate::stages::stages;

/// How long a program may take to end by itself. An API server finishes what it is answering first.
const GRACE: Duration = Duration::from_secs(15);
/// Between two looks at whether the API server is ready: it cannot be watched before it is.
const LOOK: Duration = Duration::from_millis(40);
/// How many lines of a log an error quotes.
const QUOTED: usize = 12;
/// What follows the API server from minor to minor.
const CONTROLLERS: [Program; 2] = [Program::ControllerManager, Program::Scheduler];

/// A Kubernetes control plane that runs on this machine, for as long as this value lives.
///
/// When it is dropped, or the process ends in whatever way, all its programs end and its folder is removed.
pub struct Cluster {
    // The order matters: what is first is dropped first.
    launcher: Launcher,
    folder: DataFolder,
    ports: Ports,
    programs: Programs,
    options: Options,
    tokens: Tokens,
    authority: String,
    minor: Mutex<KubeMinor>,
    /// One restart at a time.
    moving: tokio::sync::Mutex<()>,
}

struct Ports {
    api: Port,
    etcd: Port,
    etcd_peer: Port,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("url", &self.url())
            .field("minor", &self.minor())
            .field("data_folder", &self.data_folder())
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts one, and returns when its API server is ready.
    ///
    /// The programs must have been built (`cargo xtask cluster build`): that takes minutes, and a test
    /// that spends them by surprise is of no use.
    pub async fn start(options: Options) -> Result<Self, ClusterError> {
        options.check()?;
        let programs = Programs::built()?;
        sweep(&options.temp);
        let folder = DataFolder::create(&options.temp)?;
        let launcher = Launcher::start(&programs.program("launch"), folder.path())?;
        launcher.ask(&Order { what: "credentials", ..Order::default() }).await?;
        let ports = Ports { api: Port::reserve()?, etcd: Port::reserve()?, etcd_peer: Port::reserve()? };
        let url = format!("https://127.0.0.1:{}", ports.api.number());
        let authority = read(&folder.path().join("ca.crt"))?;
        let tokens = Tokens::write(folder.path(), &options, &url)?;
        private_file(&folder.path().join("stages.yaml"), &stages(&programs, options.pods)?)?;
        if let Some(url) = &options.token_webhook {
            private_file(&folder.path().join(flags::TOKEN_WEBHOOK), &token_webhook(url))?;
        }
        let minor = Mutex::new(options.minor);
        let moving = tokio::sync::Mutex::new(());
        let cluster = Self { launcher, folder, ports, programs, options, tokens, authority, minor, moving };
        cluster.run(Program::Etcd).await?;
        // It waits for the store by itself.
        cluster.run(Program::ApiServer).await?;
        cluster.wait_until_ready().await?;
        cluster.let_readers_read().await?;
        if !cluster.options.api_only {
            for program in [Program::ControllerManager, Program::Scheduler, Program::Kubelets] {
                cluster.run(program).await?;
            }
        }
        Ok(cluster)
    }

    /// `https://127.0.0.1:<port>`; the same for as long as the cluster lives.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api.number())
    }

    /// The certificate of the authority that signed the API server's, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.authority
    }

    /// The token of a user: `admin` (everything), `reader` (reads everything), `nobody` (no rights), or one
    /// of [`Options::user`].
    pub fn token(&self, user: &str) -> Result<&str, ClusterError> {
        self.tokens.of(user)
    }

    /// A kubeconfig for a user, as text.
    pub fn kubeconfig(&self, user: &str) -> Result<String, ClusterError> {
        self.tokens.kubeconfig(&self.url(), &self.authority, user)
    }

    /// The file with the administrator's kubeconfig.
    pub fn kubeconfig_file(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The minor that the control plane is at.
    pub fn minor(&self) -> KubeMinor {
        *self.minor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where everything of this cluster is; it goes with the cluster.
    pub fn data_folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a program has written.
    pub fn log_file(&self, program: Program) -> PathBuf {
        self.folder.path().join(format!("{}.log", program.name()))
    }

    /// The numbers of the processes: the launcher's, and those of the programs that run.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let running = self.launcher.state().borrow().running.clone();
        std::iter::once(("launch".to_owned(), self.launcher.pid())).chain(running).collect()
    }

    /// A client with the rights of a user. It belongs to the runtime that it is made on.
    ///
    /// It does not repeat what failed: a 429 is an answer that tests want to see.
    pub fn client_as(&self, user: &str) -> Result<kube::Client, ClusterError> {
        let doing = || format!("making a client for {}", self.url());
        let bad = |reason: &str| ClusterError::BadOption(format!("{} failed ({reason})", doing()));
        let url = self.url().parse().map_err(|_| bad("its address is none"))?;
        let mut config = kube::Config::new(url);
        config.root_cert = Some(certificates(&self.authority).map_err(bad)?);
        config.auth_info = serde_json::from_value(serde_json::json!({"token": self.token(user)?}))
            .map_err(|error| bad(&error.to_string()))?;
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        kube::Client::try_from(config).map_err(ClusterError::api(doing()))
    }

    /// A client that may do everything.
    pub fn client(&self) -> Result<kube::Client, ClusterError> {
        self.client_as(ADMIN)
    }

    /// Takes the control plane to the next minor as EKS does: the API is away for a moment, then everything
    /// is there as before, and the controllers follow.
    pub async fn upgrade_to(&self, minor: KubeMinor) -> Result<(), ClusterError> {
        let moving = self.moving.lock().await;
        let at = self.minor();
        if minor != at.next() || minor > newest_minor() {
            return Err(hop(at, minor));
        }
        self.move_to(minor).await?;
        drop(moving);
        Ok(())
    }

    /// Takes the control plane back to the minor before, as the rollback of EKS does.
    pub async fn roll_back_to(&self, minor: KubeMinor) -> Result<(), ClusterError> {
        let moving = self.moving.lock().await;
        let at = self.minor();
        if at.previous() != Some(minor) || minor < oldest_minor() {
            return Err(hop(at, minor));
        }
        self.move_to(minor).await?;
        drop(moving);
        Ok(())
    }

    async fn move_to(&self, minor: KubeMinor) -> Result<(), ClusterError> {
        self.launcher.set_away(true);
        // A controller manager that loses the API server in the middle of its own start gives up.
        for program in CONTROLLERS {
            self.launcher.stop(program.name(), GRACE).await?;
        }
        self.launcher.stop(Program::ApiServer.name(), GRACE).await?;
        *self.minor.lock().unwrap_or_else(PoisonError::into_inner) = minor;
        self.bring_back().await
    }

    /// Takes the API server away, as an outage does; controllers and kubelets go on trying.
    pub async fn stop_api_server(&self) -> Result<(), ClusterError> {
        let _moving = self.moving.lock().await;
        self.launcher.set_away(true);
        self.launcher.stop(Program::ApiServer.name(), GRACE).await
    }

    /// Brings the API server back at the same minor, and returns when it is ready. Controllers that gave
    /// up meanwhile are started again, as the kubelet of a control plane does.
    pub async fn start_api_server(&self) -> Result<(), ClusterError> {
        let _moving = self.moving.lock().await;
        self.bring_back().await
    }

    async fn bring_back(&self) -> Result<(), ClusterError> {
        self.run(Program::ApiServer).await?;
        self.wait_until_ready().await?;
        if !self.options.api_only {
            for program in CONTROLLERS.into_iter().chain([Program::Kubelets]) {
                if !self.launcher.state().borrow().running.contains_key(program.name()) {
                    self.run(program).await?;
                }
            }
        }
        self.launcher.set_away(false);
        Ok(())
    }

    /// Halts a program where it stands: connections stay open, and nothing is answered.
    pub async fn pause(&self, program: Program) -> Result<(), ClusterError> {
        self.send(program, "STOP").await
    }

    /// Lets a program go on that was halted.
    pub async fn resume(&self, program: Program) -> Result<(), ClusterError> {
        self.send(program, "CONT").await
    }

    /// Waits until a program ends that should run, and says which: a cluster that is held by a program
    /// and not by a test has nobody else who would notice.
    pub async fn ended(&self) -> ClusterError {
        let mut state = self.launcher.state();
        // The sender is ours: waiting for it cannot fail.
        match state.wait_for(|state| state.gone || !state.away && !state.failed.is_empty()).await {
            Ok(state) => match state.failed.iter().next() {
                Some((program, ended)) => self.failed(program, ended),
                None => ClusterError::Launcher("is gone, and the programs with it".to_owned()),
            },
            Err(_) => ClusterError::Launcher("cannot be listened to".to_owned()),
        }
    }

    async fn send(&self, program: Program, signal: &str) -> Result<(), ClusterError> {
        let order = Order { what: "signal", name: program.name(), signal, ..Order::default() };
        self.launcher.ask(&order).await.map(drop)
    }

    async fn run(&self, program: Program) -> Result<(), ClusterError> {
        let place = Place {
            folder: self.folder.path(),
            api: self.ports.api.number(),
            etcd: self.ports.etcd.number(),
            etcd_peer: self.ports.etcd_peer.number(),
        };
        let minor = self.minor();
        let args = match program {
            Program::Etcd => flags::etcd(&place),
            Program::ApiServer => flags::api_server(&place, minor, &self.options),
            Program::ControllerManager => flags::controller_manager(&place, minor),
            Program::Scheduler => flags::scheduler(&place, minor),
            Program::Kubelets => flags::kubelets(&place),
        };
        let file = self.programs.program(program.name());
        self.launcher.run(program.name(), &file, &args, &self.log_file(program)).await
    }

    /// Waits until the API server says that it is ready, or it or the store has ended.
    async fn wait_until_ready(&self) -> Result<(), ClusterError> {
        let within = self.options.ready_within;
        let deadline = Instant::now() + within;
        let client = self.client()?;
        let mut state = self.launcher.state();
        loop {
            let mut request = http::Request::new(Vec::new());
            *request.uri_mut() = http::Uri::from_static("/readyz");
            let last = match tokio::time::timeout_at(deadline, client.request_text(request)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it did not answer".to_owned(),
            };
            let failed = state.borrow_and_update().failed.clone();
            for program in [Program::Etcd, Program::ApiServer] {
                if let Some(ended) = failed.get(program.name()) {
                    return Err(self.failed(program.name(), ended));
                }
            }
            if self.launcher.state().borrow().gone {
                return Err(ClusterError::Launcher("is gone, and the programs with it".to_owned()));
            }
            if Instant::now() >= deadline {
                let log = self.quoted(Program::ApiServer.name());
                return Err(ClusterError::NotReady { within, last, log });
            }
            // Either the time is up, or something has ended: both are looked at.
            drop(tokio::time::timeout(LOOK, state.changed()).await);
        }
    }

    async fn let_readers_read(&self) -> Result<(), ClusterError> {
        let client = self.client()?;
        let (role, binding) = reader_role().map_err(|error| {
            ClusterError::BadOption(format!("the reader's role cannot be made ({error})"))
        })?;
        let doing = "letting the reader read";
        Api::all(client.clone())
            .create(&PostParams::default(), &role)
            .await
            .map_err(ClusterError::api(doing))?;
        Api::all(client).create(&PostParams::default(), &binding).await.map_err(ClusterError::api(doing))?;
        Ok(())
    }

    fn failed(&self, program: &str, ended: &str) -> ClusterError {
        ClusterError::Ended {
            program: program.to_owned(),
            ended: ended.to_owned(),
            log: self.quoted(program),
        }
    }

    /// The last lines of a program's log.
    fn quoted(&self, program: &str) -> String {
        let path = self.folder.path().join(format!("{program}.log"));
        let text = std::fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(QUOTED)..].join("\n")
    }
}

/// Where to ask whose a token is, in the form of a kubeconfig.
fn token_webhook(url: &str) -> String {
    let entry =
        |name: &str, what: &str, value: serde_json::Value| serde_json::json!({"name": name, what: value});
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [entry("authenticator", "cluster", serde_json::json!({"server": url}))],
        "users": [entry("api-server", "user", serde_json::json!({}))],
        "contexts": [entry("webhook", "context", serde_json::json!({"cluster": "authenticator", "user": "api-server"}))],
        "current-context": "webhook",
    })
    .to_string()
}

fn hop(at: KubeMinor, wanted: KubeMinor) -> ClusterError {
    ClusterError::Hop { at, wanted, oldest: oldest_minor(), newest: newest_minor() }
}

/// The certificates of a PEM text, as kube wants them.
fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    use base64::Engine as _;
    let mut found = Vec::new();
    for block in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (body, _) = block.split_once("-----END CERTIFICATE-----").ok_or("a certificate has no end")?;
        let text: String = body.split_whitespace().collect();
        let decoded = base64::engine::general_purpose::STANDARD.decode(text);
        found.push(decoded.map_err(|_| "a certificate is not base64")?);
    }
    Ok(found)
}

//! A Docker engine of the test's own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::place::{Place, Server, run};

pub(crate) struct Engine {
    root: PathBuf,
    log: PathBuf,
    server: Option<Server>,
    /// Its address.
    pub(crate) host: String,
}

impl Engine {
    pub(crate) fn start(place: &Place) -> Self {
        let mut engine = Self {
            root: place.path("engine"),
            log: place.path("engine.log"),
            server: None,
            host: format!("unix://{}", place.path("engine.sock").display()),
        };
        std::fs::create_dir(&engine.root).unwrap();
        engine.resume();
        engine
    }

    pub(crate) fn stop(&mut self) {
        self.server = None;
    }

    pub(crate) fn resume(&mut self) {
        let below = |name: &str| self.root.join(name).display().to_string();
        let command = [
            "dockerd",
            "--data-root",
            &below("data"),
            "--exec-root",
            &below("exec"),
            "--pidfile",
            &below("pid"),
            "--host",
            &self.host,
            "--storage-driver",
            "overlay2",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ];
        let is_ready = || run("docker", ["--host", &self.host, "version"]);
        self.server = Some(Server::start(&command, &self.log, is_ready));
    }

    /// Runs a command of `docker`.
    pub(crate) fn docker(&self, arguments: &[&str], input: &[u8]) -> Result<String, String> {
        let mut process = Command::new("docker")
            .args(["--host", &self.host])
            .args(arguments)
            .env_remove("DOCKER_CONTEXT")
            .env("DOCKER_CONFIG", &self.root)
            .env("DOCKER_BUILDKIT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails early does not read to the end.
        let _ = process.stdin.take().unwrap().write_all(input);
        let output = process.wait_with_output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("docker {arguments:?}: {errors}"))
        }
    }
}

//! The image in a local Docker engine: read in place, and through the export stream.
//!
//! The engine is the one that `CLEANBILL_TEST_DOCKER_HOST` or `DOCKER_HOST` names by a Unix
//! socket. It is asked with curl, so that the stream is measured by a program that is not ours.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::image::{BenchImage, NAME};
use super::places::{COLD, Contender, FLOOR, Place, SCANNED, Tools, on_path};
use super::process::{Program, command};

pub(crate) const IN_PLACE: &str = "local engine, in place";
pub(crate) const EXPORT: &str = "local engine, export stream";

/// Returns the places that a local engine offers: none without an engine, and only the one in
/// place where the programs are missing that take away the right to read there.
pub(crate) fn places(tools: &Tools, image: &BenchImage) -> anyhow::Result<Vec<Place>> {
    let Some((host, socket)) = engine() else {
        println!("no local engine: set CLEANBILL_TEST_DOCKER_HOST=unix:///…");
        return Ok(Vec::new());
    };
    let Some(curl) = on_path("curl") else {
        println!("no local engine without curl");
        return Ok(Vec::new());
    };
    load(&curl, &socket, image)?;
    let arguments = ["--docker-host", &host, "--source", "docker", NAME];
    let mut contenders = tools.cleanbill("engine", &arguments);
    let mut peers = tools.peers(&["--image-src", "docker", NAME], &format!("docker:{NAME}"));
    for peer in &mut peers {
        peer.program
            .environment
            .push(("DOCKER_HOST".to_owned(), host.clone()));
    }
    contenders.extend(peers);
    let mut places = vec![Place {
        name: IN_PLACE.to_owned(),
        contenders,
    }];
    if let Some(setpriv) = on_path("setpriv") {
        let stream = Contender {
            name: FLOOR,
            program: Program::new(
                &curl,
                [
                    "--silent",
                    "--fail",
                    "--output",
                    "/dev/null",
                    "--unix-socket",
                    &socket,
                    &format!("http://localhost/images/{}/get", image.id),
                ],
            ),
            fresh: Vec::new(),
            statuses: &[0],
        };
        let scan = tools.scan("export-cold", &arguments);
        // Without this capability opaque directories cannot be seen, so nothing is read in place.
        let mut restricted = vec!["--bounding-set".to_owned(), "-sys_admin".to_owned()];
        restricted.push(scan.path.display().to_string());
        restricted.extend(scan.arguments);
        let cold = Contender {
            name: COLD,
            program: Program::new(setpriv, restricted),
            fresh: vec![tools.directory.join("cache/export-cold")],
            statuses: SCANNED,
        };
        places.push(Place {
            name: EXPORT.to_owned(),
            contenders: vec![stream, cold],
        });
    }
    Ok(places)
}

/// Returns the address of the engine, and its socket.
pub(crate) fn engine() -> Option<(String, String)> {
    let host = ["CLEANBILL_TEST_DOCKER_HOST", "DOCKER_HOST"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    let socket = host.strip_prefix("unix://")?.to_owned();
    Path::new(&socket).exists().then_some((host, socket))
}

/// Loads the image, unless the engine has it under its name.
fn load(curl: &Path, socket: &str, image: &BenchImage) -> anyhow::Result<()> {
    let request = |arguments: &[&str]| {
        command(curl)
            .args(["--silent", "--unix-socket", socket])
            .args(arguments)
            .output()
            .context("cannot run curl")
    };
    let known = request(&[&format!("http://localhost/images/{NAME}/json")])?;
    if String::from_utf8_lossy(&known.stdout).contains(&image.id) {
        return Ok(());
    }
    println!("loading the image into the engine");
    let archive = image.archive.display().to_string();
    let loaded = request(&[
        "--fail",
        "--request",
        "POST",
        "--header",
        "Content-Type: application/x-tar",
        "--upload-file",
        &archive,
        "http://localhost/images/load?quiet=1",
    ])?;
    ensure!(loaded.status.success(), "the engine did not load {archive}");
    Ok(())
}

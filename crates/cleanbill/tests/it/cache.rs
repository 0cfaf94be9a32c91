//! The cache of layer inventories: shared, interrupted, unwritable, cleared.

use std::time::Duration;

use crate::samples;
use crate::sandbox::{Sandbox, finding_ids};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox
        .write_image("web.tar", &samples::web())
        .write_image("base.tar", &samples::debian("shop/base:1"))
        .write_image("worker.tar", &samples::worker());
    sandbox
}

fn layers(sandbox: &Sandbox) -> u64 {
    sandbox.run("cache info --json").exits(0).json()["layers"]
        .as_u64()
        .unwrap()
}

#[test]
fn a_layer_is_kept_once_however_many_images_have_it() {
    let sandbox = sandbox();
    assert_eq!(layers(&sandbox), 0);
    sandbox.run("scan --input base.tar").exits(0);
    assert_eq!(layers(&sandbox), 1);
    sandbox.run("scan --input web.tar").exits(0);
    assert_eq!(layers(&sandbox), 2, "the base is shared");
    sandbox
        .run("scan --input web.tar --input worker.tar")
        .exits(0);
    assert_eq!(layers(&sandbox), 3);
}

#[test]
fn a_known_layer_is_not_opened() {
    let sandbox = sandbox();
    let before = sandbox.run("scan --input web.tar -f json").exits(0).json();
    // The same image, of which the last layer holds nothing: only its ids are right.
    let empty = samples::web().layer_stored_as(vec![0; 10_240]);
    sandbox.write_image("empty.tar", &empty);
    let after = sandbox
        .run("scan --input empty.tar -f json")
        .exits(0)
        .json();
    assert_eq!(finding_ids(&before), finding_ids(&after));
    // Without the cache the lie is found out.
    sandbox
        .run("--cache-dir fresh scan --db-path cache/db --input empty.tar")
        .exits(3);
}

#[test]
fn info_prune_and_clear_tell_what_they_did() {
    let sandbox = sandbox();
    sandbox
        .run("scan --input web.tar --input worker.tar")
        .exits(0);
    sandbox
        .run("cache info")
        .exits(0)
        .warns_nothing()
        .prints(&["Layer inventories:  3", "cache"]);
    let info = sandbox.run("cache info --json").exits(0).json();
    assert!(info["inventory_size_bytes"].as_u64().unwrap() > 0);
    assert!(info["database_size_bytes"].as_u64().unwrap() > 0);
    sandbox
        .run("cache prune")
        .exits(0)
        .prints(&["Removed 0", "kept 3"]);
    sandbox
        .run("cache prune --max-size 1B")
        .exits(0)
        .prints(&["Removed 3", "kept 0"]);
    sandbox.run("scan --input web.tar").exits(0);
    sandbox
        .run("cache clear")
        .exits(0)
        .prints(&["Removed 2 layer inventories"]);
    assert_eq!(layers(&sandbox), 0);
    assert!(sandbox.path("cache/db/trivy.db").exists());
    sandbox
        .run("cache clear --all")
        .exits(0)
        .prints(&["advisory database"]);
    assert!(!sandbox.path("cache/db").exists());
}

#[test]
fn a_cache_that_cannot_be_used_is_warned_about() {
    let sandbox = sandbox();
    sandbox.write("file", "");
    let call = "--cache-dir file/cache scan --db-path cache/db --skip-db-update --input web.tar";
    let outcome = sandbox.run(call).exits(0).prints(&["CVE-2099-0001"]);
    outcome.warns(&["file/cache", "without the layer cache"]);
    sandbox
        .run("--cache-dir file/cache cache info")
        .exits(2)
        .warns(&["file/cache"]);
}

#[test]
fn a_damaged_cache_file_does_not_stop_scans() {
    let sandbox = sandbox();
    sandbox.run("scan --input web.tar").exits(0);
    for name in sandbox
        .files("cache")
        .into_iter()
        .filter(|name| !name.starts_with("db/"))
    {
        sandbox.write(
            &format!("cache/{name}"),
            "this is no database, whatever its name says".repeat(200),
        );
    }
    sandbox
        .run("scan --input web.tar")
        .exits(0)
        .prints(&["CVE-2099-0001"]);
}

#[test]
fn concurrent_scans_share_a_cache() {
    let sandbox = sandbox();
    let running: Vec<_> = (0..8)
        .map(|n| {
            sandbox.start(
                [
                    "scan --input web.tar -f json",
                    "scan --input base.tar -f json",
                ][n % 2],
            )
        })
        .collect();
    for (n, running) in running.into_iter().enumerate() {
        let outcome = running.wait().exits(0).warns_nothing();
        assert_eq!(
            finding_ids(&outcome.json())[0].len(),
            [3, 2][n % 2],
            "{outcome}"
        );
    }
    assert_eq!(layers(&sandbox), 2);
}

#[test]
fn a_kill_at_any_moment_leaves_a_usable_cache() {
    const KILLS: u64 = 40;
    let sandbox = sandbox();
    // Something to write: many layers.
    let mut image = samples::debian("many:1");
    for n in 0..30 {
        image = image.layer(|layer| {
            layer.file(
                &format!("var/lib/dpkg/status.d/p{n}"),
                samples::dpkg_status(&[("zlib", "1-1")]),
            )
        });
    }
    sandbox.write_image("many.tar", &image);
    let whole = sandbox
        .run("--cache-dir whole scan --db-path cache/db --input many.tar -f json --list-all-pkgs");
    let whole = whole.exits(0).json();
    // Steps that have no common divisor with how long anything takes: every moment gets its turn.
    for n in 0..KILLS {
        if n % 10 == 0 {
            sandbox.run("cache clear").exits(0);
        }
        let running = sandbox.start("scan --input many.tar --input web.tar --input worker.tar");
        std::thread::sleep(Duration::from_millis(n * 7 % 90));
        running.signal(rustix::process::Signal::KILL);
        running.wait();
    }
    let outcome = sandbox
        .run("scan --input many.tar -f json --list-all-pkgs")
        .exits(0)
        .warns_nothing();
    assert_eq!(outcome.json()["images"], whole["images"]);
    sandbox.run("cache info").exits(0).warns_nothing();
}

#[test]
fn nothing_is_written_but_the_cache_and_the_outputs() {
    let sandbox = sandbox();
    let before = sandbox.files("");
    sandbox
        .run("scan --input web.tar -o json=report.json")
        .exits(0);
    sandbox.run("demo").exits(0);
    let new: Vec<String> = sandbox
        .files("")
        .into_iter()
        .filter(|name| !before.contains(name) && !name.starts_with("cache/"))
        .collect();
    assert_eq!(new, ["report.json"]);
}

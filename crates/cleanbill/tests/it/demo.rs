//! The demo: what a new user sees first.

use std::path::Path;

use crate::sandbox::Sandbox;

#[test]
fn the_demo_shows_a_report_without_anything_else() {
    let sandbox = Sandbox::without_database();
    let outcome = sandbox.run("demo").exits(0).warns_nothing();
    assert!(!sandbox.path("cache").exists(), "nothing is written");
    // The demo is judged as of the day of its database: nothing of it depends on today.
    insta::assert_snapshot!(outcome.stdout);
}

#[test]
fn the_demo_knows_every_format() {
    let sandbox = Sandbox::without_database();
    let report = sandbox.run("demo -f json").exits(0).json();
    assert_eq!(report["images"].as_array().unwrap().len(), 5);
    sandbox
        .run("demo -o trivy-json=reports/ -o table=table.txt")
        .exits(0);
    assert_eq!(sandbox.files("reports").len(), 5);
    sandbox
        .run("demo -f trivy-json")
        .exits(2)
        .warns(&["trivy-json=DIR/"]);
}

#[test]
fn the_demos_files_are_those_that_are_generated() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    for (name, generated) in cleanbill_testkit::demo::files() {
        let committed = std::fs::read(directory.join(name)).unwrap();
        assert!(
            committed == generated,
            "{name} differs: run cargo xtask gen"
        );
    }
}

//! `config` and `migrate`, as they are called.

use crate::sandbox::Sandbox;

#[test]
fn config_show_tells_where_each_value_came_from() {
    let sandbox = Sandbox::without_database();
    sandbox
        .write(".env", "SMTP_PORT=2525\nSMTP_PASS=hunter2\n")
        .write("c.yaml", "version: 1\nwatch: {interval: 6h}\n");
    let variables = [("TRIVY_SEVERITY", "low"), ("CLEANBILL_INTERVALL", "1h")];
    let call = "config show --config c.yaml --once";
    sandbox
        .run_with(variables, call)
        .exits(0)
        .prints(&[
            "c.yaml:2:19",
            "--once",
            "environment variable TRIVY_SEVERITY",
            ".env:1: SMTP_PORT",
            "(redacted)",
            "environment variable CLEANBILL_CACHE_DIR",
        ])
        .warns(&["CLEANBILL_INTERVALL", "did you mean CLEANBILL_INTERVAL?"])
        .lacks(&["hunter2"]);
    let json = sandbox
        .run_with(variables, &format!("{call} -f json"))
        .json();
    let settings = json["settings"].as_array().unwrap();
    let interval = &settings[0];
    assert_eq!(interval["key"], "watch.interval");
    assert_eq!(interval["value"], "6h");
    assert_eq!(interval["origin"], "file");
}

#[test]
fn config_check_names_the_place() {
    let sandbox = Sandbox::without_database();
    sandbox
        .write("right.yaml", "version: 1\nwatch: {once: true}\n")
        .write("wrong.yaml", "version: 1\nwatch:\n  intervall: 6h\n")
        .write(
            "plain.yaml",
            "version: 1\nnotify:\n  slack: {webhook_url: 'http://example.org/x'}\n",
        )
        // Neither counts here.
        .write(".env", "SMTP_PORT=x\n");
    sandbox
        .run_with([("SMTP_PORT", "y")], "config check right.yaml")
        .exits(0)
        .prints(&["right.yaml is right: 1 setting, 0 channels."]);
    sandbox.run("config check wrong.yaml").exits(2).warns(&[
        "wrong.yaml:3:3: unknown key 'intervall' in 'watch'; did you mean 'interval'?",
        "hint:",
    ]);
    sandbox
        .run("config check plain.yaml")
        .exits(2)
        .warns(&["channel slack", "it is not encrypted"]);
    sandbox
        .run("config check missing.yaml")
        .exits(2)
        .warns(&["missing.yaml", "No such file"]);
    sandbox
        .run("config schema")
        .exits(0)
        .prints(&["json-schema.org", "\"interval\""]);
}

#[test]
fn a_scan_reads_neither_env_file_nor_configuration() {
    let sandbox = Sandbox::without_database();
    sandbox
        .write(".env", "CLEANBILL_SEVERITY=SEVERE\nSMTP_PORT=x\n")
        .write("home/.config/cleanbill/config.yaml", "nonsense");
    sandbox.run("cache info").exits(0).warns_nothing();
    sandbox.run("config show").exits(2).warns(&[
        "home/.config/cleanbill/config.yaml:1:1",
        ".env:1: CLEANBILL_SEVERITY",
        ".env:2: SMTP_PORT",
    ]);
}

#[test]
fn migrate_writes_a_file_once_and_it_is_right() {
    let sandbox = Sandbox::without_database();
    sandbox
        .write("security/.env", "SMTP_HOST=h\nSMTP_TO=a@b\nWHAT=1\n")
        .write("security/secrets/SMTP_PASS", "hunter2")
        .write("security/ignore-images.txt", "a\n");
    let dry = sandbox
        .run("migrate security --dry-run")
        .exits(0)
        .prints(&["version: 1\n", "password_file: "])
        .warns(&["WHAT (.env:3)", "secrets/SMTP_PASS: referred to"])
        .lacks(&["hunter2"]);
    sandbox
        .run("migrate security")
        .exits(0)
        .prints(&["Wrote ", "WHAT (.env:3)", "cleanbill watch --config "])
        .warns_nothing();
    assert_eq!(sandbox.read("security/cleanbill.yaml"), dry.stdout);
    sandbox
        .run("migrate security")
        .exits(2)
        .warns(&["is there already", "--force"]);
    sandbox.run("migrate security --force").exits(0);
    sandbox
        .run("config check security/cleanbill.yaml")
        .exits(0)
        .prints(&["1 channel."]);
    sandbox.run("migrate nowhere").exits(2).warns(&["nowhere"]);
    sandbox
        .run("migrate home")
        .exits(2)
        .warns(&["neither .env", "run.py"]);
}

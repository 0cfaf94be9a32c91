use super::*;

fn rules(https: &str, http: &str, all: &str, none: &str) -> ProxyRules {
    let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    let settings = ProxySettings {
        https: text(https),
        http: text(http),
        all: text(all),
        none: text(none),
    };
    ProxyRules::new(&settings).unwrap()
}

#[track_caller]
fn check(none: &str, target: &str, is_proxied: bool) {
    let rules = rules("http://proxy:3128", "proxy:3128", "", none);
    let proxy = rules.proxy_for(&target.parse().unwrap());
    assert_eq!(proxy.is_some(), is_proxied, "{target} with NO_PROXY={none}");
}

#[test]
fn exceptions_are_matched() {
    check("", "https://ghcr.io/v2/", true);
    check("*", "https://ghcr.io/v2/", false);
    check("ghcr.io", "https://ghcr.io/v2/", false);
    check("GHCR.io", "https://ghcr.io/v2/", false);
    check("ghcr.io", "https://a.ghcr.io/v2/", false);
    check("ghcr.io", "https://notghcr.io/v2/", true);
    check(".ghcr.io", "https://ghcr.io/v2/", true);
    check(".ghcr.io", "https://a.ghcr.io/v2/", false);
    check("*.ghcr.io", "https://a.ghcr.io/v2/", false);
    check("x, ghcr.io:443", "https://ghcr.io/v2/", false);
    check("ghcr.io:5000", "https://ghcr.io/v2/", true);
    check("10.0.0.0/8", "https://10.1.2.3/", false);
    check("10.0.0.0/8", "https://11.1.2.3/", true);
    check("0.0.0.0/0", "https://11.1.2.3/", false);
    check("10.1.2.3", "http://10.1.2.3:8080/", false);
    check("10.1.2.3:80", "http://10.1.2.3:8080/", true);
    check("fd00::/8", "https://[fd00::1]/", false);
    check("[fd00::1]:443", "https://[fd00::1]/", false);
    check("::/0", "https://10.1.2.3/", true);
    check("10.0.0.0/99,,  ,/", "https://10.1.2.3/", true);
}

#[test]
fn the_own_host_is_reached_directly() {
    for target in [
        "http://localhost:5000",
        "http://127.8.9.1",
        "http://[::1]:5000",
    ] {
        check("", target, false);
    }
}

#[test]
fn settings_are_read_with_upper_case_first() {
    let settings = ProxySettings::from_environment(|name| {
        let value = match name {
            "HTTPS_PROXY" => "",
            "https_proxy" => "secure:1",
            "ALL_PROXY" => "socks5://all:2",
            "all_proxy" => "lower:3",
            _ => return None,
        };
        Some(value.to_owned())
    });
    let rules = ProxyRules::new(&settings).unwrap();
    let proxy = |target: &str| rules.proxy_for(&target.parse().unwrap()).unwrap().as_str();
    assert_eq!(proxy("https://a.example/"), "http://secure:1/");
    assert_eq!(proxy("http://a.example/"), "socks5://all:2");
}

#[test]
fn wrong_addresses_are_refused_by_the_name_of_the_setting() {
    for text in ["ftp://proxy", "http://", "://", "http://a b"] {
        let settings = ProxySettings {
            http: Some(text.to_owned()),
            ..ProxySettings::default()
        };
        assert_eq!(
            ProxyRules::new(&settings).unwrap_err(),
            ProxyError { name: "HTTP_PROXY" }
        );
    }
}

#[test]
fn debug_output_holds_no_password() {
    let settings = ProxySettings {
        https: Some("http://user:hunter2@proxy".to_owned()),
        ..ProxySettings::default()
    };
    assert!(!format!("{settings:?}").contains("hunter2"));
}

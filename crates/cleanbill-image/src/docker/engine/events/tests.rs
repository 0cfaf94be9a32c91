use crate::Capabilities;
use crate::docker::fake_engine::{CHUNKED_HEAD, FakeEngine, Reply};
use crate::docker::{AccessPreference, Candidate, Engine, EngineOptions, Timeouts};

use super::*;

const FOLLOWED: &str =
    "/events?filters=%7B%22type%22%3A%5B%22image%22%2C%22container%22%5D%7D&since=5";

fn connect(engine: &FakeEngine, context: &ReadContext) -> Engine {
    let candidate = Candidate {
        endpoint: engine.endpoint(),
        named_by: "test".to_owned(),
    };
    let options = EngineOptions {
        source: "docker",
        platform: None,
        access: AccessPreference::Automatic,
        capabilities: Capabilities::default(),
        timeouts: Timeouts::default(),
    };
    Engine::connect(&[candidate], options, context).unwrap()
}

fn follow(reply: Reply) -> (Vec<EngineNews>, Result<(), ImageError>) {
    let fake = FakeEngine::start("1.41");
    fake.reply(FOLLOWED, reply);
    let context = ReadContext::default();
    let engine = connect(&fake, &context);
    let mut events = Vec::new();
    let outcome = engine.follow_events(Some(5), &context, &mut |news| events.push(news));
    (events, outcome)
}

#[test]
fn events_come_one_a_line() {
    let lines = concat!(
        r#"{"Type":"image","Action":"pull","Actor":{"ID":"alpine:3.20"},"time":7}"#,
        "\n\n",
        r#"{"Type":"container","Action":"start","Actor":{"ID":"ab","Attributes":null}}"#,
        "\n"
    );
    let (events, outcome) = follow(Reply::Stream(lines.into()));
    outcome.unwrap();
    let happened = |kind: &str, action: &str, id: &str, time_seconds| {
        EngineNews::Happened(EngineEvent {
            kind: kind.to_owned(),
            action: action.to_owned(),
            id: id.to_owned(),
            time_seconds,
        })
    };
    let expected = [
        EngineNews::Following,
        happened("image", "pull", "alpine:3.20", 7),
        happened("container", "start", "ab", 0),
    ];
    assert_eq!(events, expected);
}

#[test]
fn what_is_no_event_is_an_error() {
    let (events, outcome) = follow(Reply::Stream(b"{\"Type\":\"image\"}\n<html>\n".to_vec()));
    assert_eq!(events.len(), 2);
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains("an event of engine"), "{text}");
}

#[test]
fn an_event_without_end_is_refused() {
    let flood = vec![b' '; (EVENT_SIZE_BYTES_MAX + 7) as usize];
    let (_, outcome) = follow(Reply::Stream(flood));
    let text = cleanbill_core::error_chain(&outcome.unwrap_err());
    assert!(text.contains("event_size_bytes"), "{text}");
}

#[test]
fn a_silent_stream_ends_when_it_is_cancelled() {
    let fake = FakeEngine::start("1.41");
    fake.reply(FOLLOWED, Reply::ThenStall(CHUNKED_HEAD.to_vec()));
    let context = ReadContext::default();
    let engine = connect(&fake, &context);
    let cancelled = std::sync::Arc::clone(&context.cancelled);
    let stopper = std::thread::spawn(move || {
        cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let outcome = engine.follow_events(Some(5), &context, &mut |_| ());
    stopper.join().unwrap();
    outcome.unwrap_err();
}

#[test]
fn containers_are_listed_by_name() {
    let fake = FakeEngine::start("1.41");
    let id = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    fake.reply(
        "/containers/json?all=true",
        Reply::ok(format!(
            r#"[{{"Id":"b","Names":["/web"],"Image":"app:1","ImageID":"{id}","State":"running",
                 "Labels":{{"cleanbill.enable":"false"}}}},
                {{"Id":"a","Names":null,"Image":"old","ImageID":"","State":"exited"}}]"#
        )),
    );
    let context = ReadContext::default();
    let containers = connect(&fake, &context).list_containers().unwrap();
    let [stopped, running] = containers.as_slice() else {
        panic!("{containers:?}");
    };
    assert_eq!((stopped.name.as_str(), stopped.image_id), ("a", None));
    assert_eq!(running.name, "web");
    assert_eq!(running.image_id.unwrap().to_string(), id);
    assert!(running.is_running && running.labels["cleanbill.enable"] == "false");
}

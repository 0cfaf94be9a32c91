use super::*;

fn image(name: &str) -> ListedImage {
    ListedImage {
        name: name.to_owned(),
        id: Digest::of(name.split(':').next().unwrap().as_bytes()),
    }
}

fn container(name: &str, image: &str, labels: &[(&str, &str)]) -> ListedContainer {
    ListedContainer {
        name: name.to_owned(),
        image: image.to_owned(),
        image_id: Some(Digest::of(image.as_bytes())),
        is_running: true,
        labels: labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..ListedContainer::default()
    }
}

fn listing() -> Listing {
    Listing {
        images: ["web:1", "db:1", "db:2", "old:1"].map(image).to_vec(),
        containers: vec![
            container("c2", "web", &[(LABEL_SEVERITY, "critical, odd")]),
            container("c1", "web", &[(LABEL_NOTIFY, "ops,slack")]),
            container("c3", "old", &[(LABEL_ENABLE, "False")]),
        ],
    }
}

fn patterns(texts: &[&str]) -> Vec<ImagePattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[track_caller]
fn check(rules: &WatchRules, watched: &[&str], ignored: &[&str]) {
    let list = watchlist(&listing(), rules);
    let names: Vec<&str> = list
        .watched
        .iter()
        .map(|image| image.name.as_str())
        .collect();
    assert_eq!(names, watched);
    assert_eq!(list.ignored, ignored);
}

#[test]
fn everything_is_watched_but_what_a_label_takes_off() {
    check(
        &WatchRules::default(),
        &["db:1", "db:2", "web:1"],
        &["old:1"],
    );
}

#[test]
fn lists_restrict_and_ignore() {
    let rules = WatchRules {
        only: patterns(&["db:*", "missing:1"]),
        ignored: patterns(&["db:2"]),
        running_only: false,
    };
    check(&rules, &["db:1", "missing:1"], &["db:2"]);
    let absent = watchlist(&listing(), &rules).watched.remove(1);
    assert_eq!(absent.id, None);
}

#[test]
fn only_running_images_if_asked() {
    let rules = WatchRules {
        running_only: true,
        ..WatchRules::default()
    };
    check(&rules, &["web:1"], &["old:1"]);
}

#[test]
fn labels_of_all_containers_count() {
    let list = watchlist(&listing(), &WatchRules::default());
    let web = list
        .watched
        .iter()
        .find(|image| image.name == "web:1")
        .unwrap();
    assert_eq!(web.containers, ["c1", "c2"]);
    assert_eq!(web.severities, BTreeSet::from([Severity::Critical]));
    let labels: Vec<&str> = web.labels.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(labels, [LABEL_NOTIFY, LABEL_SEVERITY]);
    assert_eq!(list.odd_labels.len(), 1);
    assert!(list.odd_labels[0].contains("container c2") && list.odd_labels[0].contains("'odd'"));
}

#[test]
fn one_container_that_wants_it_is_enough() {
    let mut listing = listing();
    listing
        .containers
        .push(container("c4", "old", &[(LABEL_ENABLE, "true")]));
    assert!(
        watchlist(&listing, &WatchRules::default())
            .ignored
            .is_empty()
    );
    listing
        .containers
        .retain(|container| container.name != "c3");
    assert!(
        watchlist(&listing, &WatchRules::default())
            .ignored
            .is_empty()
    );
}

use super::*;

/// Node 0 is the root; everything but it is uncut; the leaf is 1.
#[track_caller]
fn check(parents: &[&[usize]], expected: bool) {
    let parents: Vec<Vec<usize>> = parents.iter().map(|list| list.to_vec()).collect();
    let uncut: HashSet<usize> = (1..parents.len()).collect();
    let edges: Vec<(usize, usize)> = (1..parents.len())
        .flat_map(|node| parents[node].iter().map(move |parent| (node, *parent)))
        .collect();
    let dead_ends = DeadEnds::find(&parents, 0);
    assert_eq!(dead_ends.are_met(&parents, 1, &uncut, &edges), expected);
}

#[test]
fn a_node_without_parents_is_an_end() {
    check(&[&[], &[0]], false);
    check(&[&[], &[2], &[]], true);
}

#[test]
fn a_circle_is_an_end_only_where_no_way_leads_out() {
    // Two packages that need each other and nobody else needs.
    check(&[&[], &[2], &[1]], true);
    // The leaf is needed by its partner only; the partner is needed by others too.
    check(&[&[], &[2], &[1, 0]], false);
    // The leaf is needed by others; its partner only by the leaf, so the way ends there.
    check(&[&[], &[2, 0], &[1]], true);
    // Entered from outside at the partner, which has a parent outside.
    check(&[&[], &[2], &[3, 0], &[2, 0]], false);
    // Entered from outside, and the far side hangs on the near side only.
    check(&[&[], &[2], &[3, 0], &[2]], true);
}

#[test]
fn a_tangle_ends_in_time_and_counts_as_reached() {
    let size = 40;
    let parents: Vec<Vec<usize>> = (0..size)
        .map(|node| match node {
            0 => Vec::new(),
            1 => vec![0, 2],
            _ => (1..size).filter(|other| *other != node).collect(),
        })
        .collect();
    let lists: Vec<&[usize]> = parents.iter().map(Vec::as_slice).collect();
    check(&lists, true);
}

//! The dates, by family.
//!
//! They are those of the release whose behaviour is followed (spec 02 section 9); they differ
//! between releases of other scanners. To add a release, add a line.

use jiff::civil::{Date, date};

use super::ReleaseKey;

/// Lists the releases of one family with the last day of their support.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) key: ReleaseKey,
    pub(super) releases: &'static [(&'static str, Date)],
}

/// Every family whose releases end. Families that are not listed are rolling, or publish no dates.
pub(super) const FAMILIES: &[Family] = &[
    Family {
        name: "alpine",
        key: ReleaseKey::Minor,
        releases: ALPINE,
    },
    Family {
        name: "debian",
        key: ReleaseKey::Major,
        releases: DEBIAN,
    },
    Family {
        name: "ubuntu",
        key: ReleaseKey::Ubuntu,
        releases: UBUNTU,
    },
    Family {
        name: "redhat",
        key: ReleaseKey::Major,
        releases: REDHAT,
    },
    Family {
        name: "centos",
        key: ReleaseKey::Major,
        releases: CENTOS,
    },
    Family {
        name: "alma",
        key: ReleaseKey::Major,
        releases: ALMA,
    },
    Family {
        name: "rocky",
        key: ReleaseKey::Major,
        releases: ROCKY,
    },
    Family {
        name: "oracle",
        key: ReleaseKey::Major,
        releases: ORACLE,
    },
    Family {
        name: "amazon",
        key: ReleaseKey::Amazon,
        releases: AMAZON,
    },
    Family {
        name: "photon",
        key: ReleaseKey::AsStated,
        releases: PHOTON,
    },
    Family {
        name: "sles",
        key: ReleaseKey::AsStated,
        releases: SLES,
    },
    Family {
        name: "slem",
        key: ReleaseKey::AsStated,
        releases: SLEM,
    },
    Family {
        name: "opensuse-leap",
        key: ReleaseKey::AsStated,
        releases: OPENSUSE_LEAP,
    },
];

/// `edge` never ends.
const ALPINE: &[(&str, Date)] = &[
    ("2.0", date(2012, 4, 1)),
    ("2.1", date(2012, 11, 1)),
    ("2.2", date(2013, 5, 1)),
    ("2.3", date(2013, 11, 1)),
    ("2.4", date(2014, 5, 1)),
    ("2.5", date(2014, 11, 1)),
    ("2.6", date(2015, 5, 1)),
    ("2.7", date(2015, 11, 1)),
    ("3.0", date(2016, 5, 1)),
    ("3.1", date(2016, 11, 1)),
    ("3.2", date(2017, 5, 1)),
    ("3.3", date(2017, 11, 1)),
    ("3.4", date(2018, 5, 1)),
    ("3.5", date(2018, 11, 1)),
    ("3.6", date(2019, 5, 1)),
    ("3.7", date(2019, 11, 1)),
    ("3.8", date(2020, 5, 1)),
    ("3.9", date(2020, 11, 1)),
    ("3.10", date(2021, 5, 1)),
    ("3.11", date(2021, 11, 1)),
    ("3.12", date(2022, 5, 1)),
    ("3.13", date(2022, 11, 1)),
    ("3.14", date(2023, 5, 1)),
    ("3.15", date(2023, 11, 1)),
    ("3.16", date(2024, 5, 23)),
    ("3.17", date(2024, 11, 22)),
    ("3.18", date(2025, 5, 9)),
    ("3.19", date(2025, 11, 1)),
    ("3.20", date(2026, 4, 1)),
    ("3.21", date(2026, 12, 5)),
    ("3.22", date(2027, 4, 30)),
    ("3.23", date(2027, 11, 1)),
    ("edge", date(9999, 1, 1)),
];

const DEBIAN: &[(&str, Date)] = &[
    ("1.1", date(1997, 6, 5)),
    ("1.2", date(1998, 6, 5)),
    ("1.3", date(1999, 3, 9)),
    ("2.0", date(2000, 3, 9)),
    ("2.1", date(2000, 10, 30)),
    ("2.2", date(2003, 7, 30)),
    ("3.0", date(2006, 6, 30)),
    ("3.1", date(2008, 3, 30)),
    ("4.0", date(2010, 2, 15)),
    ("5.0", date(2012, 2, 6)),
    ("6.0", date(2016, 2, 29)),
    ("7", date(2018, 5, 31)),
    ("8", date(2020, 6, 30)),
    ("9", date(2022, 6, 30)),
    ("10", date(2024, 6, 30)),
    ("11", date(2026, 8, 14)),
    ("12", date(2028, 6, 10)),
    ("13", date(3000, 1, 1)),
];

/// `-ESM` releases have rows of their own.
const UBUNTU: &[(&str, Date)] = &[
    ("4.10", date(2006, 4, 30)),
    ("5.04", date(2006, 10, 31)),
    ("5.10", date(2007, 4, 13)),
    ("6.06", date(2011, 6, 1)),
    ("6.10", date(2008, 4, 25)),
    ("7.04", date(2008, 10, 19)),
    ("7.10", date(2009, 4, 18)),
    ("8.04", date(2013, 5, 9)),
    ("8.10", date(2010, 4, 30)),
    ("9.04", date(2010, 10, 23)),
    ("9.10", date(2011, 4, 29)),
    ("10.04", date(2015, 4, 29)),
    ("10.10", date(2012, 4, 10)),
    ("11.04", date(2012, 10, 28)),
    ("11.10", date(2013, 5, 9)),
    ("12.04", date(2019, 4, 26)),
    ("12.04-ESM", date(2019, 4, 28)),
    ("12.10", date(2014, 5, 16)),
    ("13.04", date(2014, 1, 27)),
    ("13.10", date(2014, 7, 17)),
    ("14.04", date(2022, 4, 25)),
    ("14.04-ESM", date(2024, 4, 25)),
    ("14.10", date(2015, 7, 23)),
    ("15.04", date(2016, 1, 23)),
    ("15.10", date(2016, 7, 22)),
    ("16.04", date(2021, 4, 21)),
    ("16.04-ESM", date(2026, 4, 29)),
    ("16.10", date(2017, 7, 20)),
    ("17.04", date(2018, 1, 13)),
    ("17.10", date(2018, 7, 19)),
    ("18.04", date(2023, 5, 31)),
    ("18.04-ESM", date(2028, 3, 31)),
    ("18.10", date(2019, 7, 18)),
    ("19.04", date(2020, 1, 18)),
    ("19.10", date(2020, 7, 17)),
    ("20.04", date(2025, 5, 31)),
    ("20.04-ESM", date(2030, 4, 30)),
    ("20.10", date(2021, 7, 22)),
    ("21.04", date(2022, 1, 20)),
    ("21.10", date(2022, 7, 14)),
    ("22.04", date(2027, 4, 23)),
    ("22.10", date(2023, 7, 20)),
    ("23.04", date(2024, 1, 20)),
    ("23.10", date(2024, 6, 30)),
    ("24.04", date(2034, 3, 31)),
    ("24.10", date(2025, 7, 9)),
    ("25.04", date(2026, 1, 16)),
    ("25.10", date(2026, 7, 1)),
    ("26.04", date(2031, 5, 31)),
];

/// From 7 on no end is recorded; extended support goes on.
const REDHAT: &[(&str, Date)] = &[
    ("4", date(2017, 5, 31)),
    ("5", date(2020, 11, 30)),
    ("6", date(2024, 6, 30)),
    ("7", date(3000, 1, 1)),
    ("8", date(3000, 1, 1)),
    ("9", date(3000, 1, 1)),
    ("10", date(3000, 1, 1)),
];

const CENTOS: &[(&str, Date)] = &[
    ("3", date(2010, 10, 31)),
    ("4", date(2012, 2, 29)),
    ("5", date(2017, 3, 31)),
    ("6", date(2020, 11, 30)),
    ("7", date(2024, 6, 30)),
    ("8", date(2021, 12, 31)),
];

const ALMA: &[(&str, Date)] = &[
    ("8", date(2029, 3, 1)),
    ("9", date(2032, 5, 31)),
    ("10", date(2035, 5, 31)),
];

const ROCKY: &[(&str, Date)] = &[("8", date(2029, 5, 31)), ("9", date(2032, 5, 31))];

const ORACLE: &[(&str, Date)] = &[
    ("3", date(2011, 12, 31)),
    ("4", date(2013, 12, 31)),
    ("5", date(2017, 12, 31)),
    ("6", date(2021, 3, 21)),
    ("7", date(2024, 12, 31)),
    ("8", date(2029, 7, 18)),
    ("9", date(2032, 7, 18)),
];

/// 2022 never left preview and has no row.
const AMAZON: &[(&str, Date)] = &[
    ("1", date(2023, 12, 31)),
    ("2", date(2026, 6, 30)),
    ("2023", date(2028, 3, 15)),
];

const PHOTON: &[(&str, Date)] = &[
    ("1.0", date(2022, 2, 28)),
    ("2.0", date(2022, 12, 31)),
    ("3.0", date(2024, 3, 31)),
    ("4.0", date(2026, 3, 31)),
    ("5.0", date(3000, 1, 1)),
];

const SLES: &[(&str, Date)] = &[
    ("10", date(2007, 12, 31)),
    ("10.1", date(2008, 11, 30)),
    ("10.2", date(2010, 4, 11)),
    ("10.3", date(2011, 10, 11)),
    ("10.4", date(2013, 7, 31)),
    ("11", date(2010, 12, 31)),
    ("11.1", date(2012, 8, 31)),
    ("11.2", date(2014, 1, 31)),
    ("11.3", date(2016, 1, 31)),
    ("11.4", date(2019, 3, 31)),
    ("12", date(2016, 6, 30)),
    ("12.1", date(2017, 5, 31)),
    ("12.2", date(2018, 3, 31)),
    ("12.3", date(2019, 1, 30)),
    ("12.4", date(2020, 6, 30)),
    ("12.5", date(2024, 10, 31)),
    ("15", date(2019, 12, 31)),
    ("15.1", date(2021, 1, 31)),
    ("15.2", date(2021, 12, 31)),
    ("15.3", date(2022, 12, 31)),
    ("15.4", date(2023, 12, 31)),
    ("15.5", date(2024, 12, 31)),
    ("15.6", date(2025, 12, 31)),
    ("15.7", date(2031, 7, 31)),
    ("16.0", date(2027, 11, 30)),
    ("16.1", date(2028, 11, 30)),
];

const SLEM: &[(&str, Date)] = &[
    ("5.0", date(2022, 3, 31)),
    ("5.1", date(2025, 10, 31)),
    ("5.2", date(2026, 4, 30)),
    ("5.3", date(2026, 10, 30)),
    ("5.4", date(2027, 4, 30)),
    ("5.5", date(2027, 10, 31)),
    ("6.0", date(2028, 6, 30)),
    ("6.1", date(2028, 11, 30)),
];

const OPENSUSE_LEAP: &[(&str, Date)] = &[
    ("42.1", date(2017, 5, 17)),
    ("42.2", date(2018, 1, 26)),
    ("42.3", date(2019, 6, 30)),
    ("15.0", date(2019, 12, 3)),
    ("15.1", date(2020, 11, 30)),
    ("15.2", date(2021, 11, 30)),
    ("15.3", date(2022, 11, 30)),
    ("15.4", date(2023, 11, 30)),
    ("15.5", date(2024, 12, 31)),
    ("15.6", date(2025, 12, 31)),
    ("16.0", date(2027, 10, 31)),
];

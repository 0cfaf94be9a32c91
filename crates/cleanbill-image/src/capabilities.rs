//! What this process may read of other users' files.
//!
//! Reading layers in place needs two capabilities: `CAP_DAC_READ_SEARCH` for files of any owner and
//! mode, and `CAP_SYS_ADMIN` in the first user namespace for attributes of the `trusted` class.
//! Without the second those attributes read as **absent**, not as forbidden: directories that hide
//! lower layers would look like ordinary ones, and the merge would be silently wrong. So the
//! capabilities are looked at first.
//!
//! Source: capabilities(7), xattr(7) "Trusted extended attributes", user_namespaces(7).

use std::fs;

const CAP_DAC_OVERRIDE: u32 = 1;
const CAP_DAC_READ_SEARCH: u32 = 2;
const CAP_SYS_ADMIN: u32 = 21;

/// Says what this process may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Files and directories of any owner and mode.
    pub can_read_any_file: bool,
    /// Attributes of the class `trusted`.
    pub can_read_trusted_attributes: bool,
}

impl Capabilities {
    /// Asks the kernel. What it does not answer counts as not permitted.
    pub fn of_this_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let uid_map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        Self::parse(&status, &uid_map)
    }

    fn parse(status: &str, uid_map: &str) -> Self {
        let effective = status
            .lines()
            .find_map(|line| line.strip_prefix("CapEff:"))
            .and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
            .unwrap_or(0);
        let has = |capability: u32| effective & (1 << capability) != 0;
        let is_first_namespace = is_identity_map(uid_map);
        Self {
            can_read_any_file: is_first_namespace
                && (has(CAP_DAC_READ_SEARCH) || has(CAP_DAC_OVERRIDE)),
            can_read_trusted_attributes: is_first_namespace && has(CAP_SYS_ADMIN),
        }
    }
}

/// Says that all user ids map to themselves, as only in the first user namespace.
fn is_identity_map(uid_map: &str) -> bool {
    let mut lines = uid_map.lines().filter(|line| !line.trim().is_empty());
    let first: Vec<&str> = lines
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    first == ["0", "0", "4294967295"] && lines.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "         0          0 4294967295\n";

    #[track_caller]
    fn check(effective: &str, uid_map: &str, files: bool, attributes: bool) {
        let status = format!("Name:\tx\nCapPrm:\tffffffffffffffff\nCapEff:\t{effective}\n");
        let expected = Capabilities {
            can_read_any_file: files,
            can_read_trusted_attributes: attributes,
        };
        assert_eq!(Capabilities::parse(&status, uid_map), expected);
    }

    #[test]
    fn effective_capabilities_count() {
        check("000001ffffffffff", FIRST, true, true);
        check("0000000000000000", FIRST, false, false);
        // What a container's root has.
        check("00000000a80425fb", FIRST, true, false);
        check("0000000000200004", FIRST, true, true);
        check("0000000000200000", FIRST, false, true);
        check("nonsense", FIRST, false, false);
    }

    #[test]
    fn root_of_a_user_namespace_is_not_root() {
        check("000001ffffffffff", "0 1000 1\n", false, false);
        check(
            "000001ffffffffff",
            "0 1000 1\n1 100000 65536\n",
            false,
            false,
        );
        check("000001ffffffffff", "", false, false);
    }
}

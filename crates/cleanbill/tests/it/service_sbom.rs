//! Bills of materials and what other tools say about them: `CLEANBILL_TEST_PYTHON` names a Python
//! with the packages `cyclonedx-python-lib[json-validation]` and `spdx-tools`, which carry the
//! schemas of these formats.

use std::process::Command;

use crate::exploitation::{EPSS, KEV};
use crate::samples;
use crate::sandbox::Sandbox;
use crate::service_docker::service;

/// Validates CycloneDX 1.6 strictly: members that the schema does not know are errors.
const CYCLONEDX: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(error) if error else 0)
";

/// Validates SPDX 2.3: types, references between elements, licence expressions.
const SPDX: &str = "
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
messages = validate_full_spdx_document(parse_file(sys.argv[1]))
sys.exit('; '.join(message.validation_message for message in messages) if messages else 0)
";

/// Runs a script over a file of the sandbox.
#[track_caller]
fn validate(python: &str, script: &str, sandbox: &Sandbox, file: &str) {
    let output = Command::new(python)
        .args(["-c", script])
        .arg(sandbox.path(file))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{file}: {}\n{}",
        String::from_utf8_lossy(&output.stderr),
        sandbox.read(file)
    );
}

#[test]
fn documents_keep_to_their_schemas() {
    let Some(python) = service("CLEANBILL_TEST_PYTHON") else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write_image("web.tar", &samples::web());
    sandbox.write(
        "accepted.yaml",
        "vulnerabilities:\n  - id: CVE-2099-0001\n    statement: not reachable here\n",
    );
    sandbox.write("scores.csv", EPSS).write("kev.json", KEV);
    sandbox.run("db import scores.csv").exits(0);
    sandbox.run("db import kev.json").exits(0);
    for flags in ["", "--ignorefile accepted.yaml --show-suppressed"] {
        sandbox
            .run(&format!(
                "scan --input web.tar -o cyclonedx=web.cdx.json -o spdx=web.spdx.json {flags}"
            ))
            .exits(0);
        validate(&python, CYCLONEDX, &sandbox, "web.cdx.json");
        validate(&python, SPDX, &sandbox, "web.spdx.json");
    }
}

/// The images of the oracle with the most kinds of packages and of licences.
#[test]
fn documents_of_many_kinds_of_packages_keep_to_their_schemas() {
    let (Some(python), Some(images)) = (
        service("CLEANBILL_TEST_PYTHON"),
        crate::sandbox::shared("oracle/images"),
    ) else {
        return;
    };
    let sandbox = Sandbox::new();
    for name in ["os-centos-7-image", "os-distroless-base", "real-node"] {
        let image = images.join(format!("{name}.tar.gz"));
        let image = image.display();
        let outcome = sandbox.run(&format!(
            "scan --input {image} -o cyclonedx={name}.cdx.json -o spdx={name}.spdx.json"
        ));
        assert!(matches!(outcome.code, Some(0 | 3)), "{outcome}");
        validate(&python, CYCLONEDX, &sandbox, &format!("{name}.cdx.json"));
        validate(&python, SPDX, &sandbox, &format!("{name}.spdx.json"));
    }
}

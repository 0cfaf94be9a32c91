//! Bounds on everything that an image, a registry or a file of the user's can make us do.

/// Holds every bound in one place. A value that is exceeded is a distinct problem in the report,
/// never a silent cut.
///
/// The defaults are far above what real images need and far below what hurts a host; each field
/// says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file that lists packages, or what packages own. The largest SBOM inside a public
    /// image that we know of has 40 MB.
    pub file_size_bytes_max: u64,
    /// Bytes of such a file as it is kept in memory to be read more than once: compressed, if it is
    /// large. Real documents shrink to a tenth.
    pub kept_file_size_bytes_max: u64,
    /// Bytes of one part of such a file, such as one package with all that is said about it.
    pub document_part_size_bytes_max: u64,
    /// Components, files or relationships of one SBOM: identifiers are kept as hashes until all of
    /// them are known. The largest real ones have a tenth of that.
    pub sbom_elements_max: u64,
    /// Bytes of what a lock file says about which of its packages need which, until all of them
    /// are known. The largest real ones have 1 MB.
    pub dependency_graph_size_bytes_max: u64,
    /// Bytes of one file that is held whole in memory, as it describes one package or little more,
    /// and of what is held of a document before it can be read part by part: the encoded payload of
    /// an attestation. The largest real ones have 1 MB.
    pub whole_file_size_bytes_max: u64,
    /// Bytes of a TOML file: it becomes a tree in memory, of up to fifty times its size. The largest
    /// real lock file that we know of has 0.5 MB.
    pub toml_size_bytes_max: u64,
    /// Bytes of a program or archive that is held whole in memory; a larger one is read while it
    /// passes.
    pub buffered_file_size_bytes_max: u64,
    /// Bytes of one thing that is read of a compiled program: a table, Go's build information,
    /// Rust's audit data once inflated. The largest real one has 0.5 MB.
    pub program_data_size_bytes_max: u64,
    /// Archives within each other. Enterprise archives have three.
    pub archive_depth_max: u32,
    /// Entries of one archive, those of the archives inside it included. The largest that we know
    /// of has 150,000.
    pub archive_entries_max: u64,
    /// Bytes of one archive that are unpacked, those of the archives inside it included: what a
    /// bomb of any construction can cost.
    pub archive_unpacked_size_bytes_max: u64,
    /// Bytes that are unpacked of a layer's archives per byte that these have, looked at once more
    /// than `archives_unpacked_from_bytes` were. Archives within archives take about two per level.
    pub archives_unpacked_ratio_max: u64,
    /// Bytes that are unpacked of a layer's archives before the ratio counts.
    pub archives_unpacked_from_bytes: u64,
    /// Bytes of a package database that must be read whole (rpm: SQLite, Berkeley DB, NDB). An
    /// installation of 5,000 packages has 150 MB.
    pub rpm_database_size_bytes_max: u64,
    /// Bytes of one text line that a line-wise parser keeps; dpkg and apk fields are shorter by
    /// two orders of magnitude.
    pub line_size_bytes_max: u64,
    /// Bytes of a package's name, version, release or architecture. The longest real one has 200.
    pub package_field_size_bytes_max: u64,
    /// Bytes of the texts of one layer's packages. An installation of 5,000 packages with their
    /// file lists has 40 MB.
    pub packages_size_bytes_max: u64,
    /// Bytes of the packages of all layers of one image together, those that upper layers hide
    /// included. A hundred layers that each repeat a list of 2,000 packages have 250 MB.
    pub packages_per_image_size_bytes_max: u64,
    /// Packages of one layer. The largest distribution has 70,000.
    pub packages_per_layer_max: u64,
    /// Entries of one layer, files and directories. Each costs eight bytes while a layer is read;
    /// the largest layer that we know of has 1,500,000.
    pub entries_per_layer_max: u64,
    /// Uncompressed bytes of one layer.
    pub layer_size_bytes_max: u64,
    /// Uncompressed bytes per compressed byte of a layer, looked at once a layer has passed
    /// `compression_ratio_from_bytes`. Deflate cannot exceed 1,032; zstd can exceed 100,000.
    pub compression_ratio_max: u64,
    /// Uncompressed bytes from which on the ratio counts: a layer of zeros is legitimate.
    pub compression_ratio_from_bytes: u64,
    /// Base-two logarithm of the zstd window that a layer may declare: 27 is 128 MiB, what
    /// `zstd --long` writes.
    pub zstd_window_log_max: u32,
    /// Bytes of a path inside a layer. Linux stops at 4,096.
    pub path_size_bytes_max: u64,
    /// Directories within each other that are entered when a layer lies unpacked: each holds a
    /// descriptor open, of which a process has 1,024.
    pub directory_depth_max: u32,
    /// Bytes of an extended header (PAX, GNU long name) of a tar archive.
    pub tar_extension_size_bytes_max: u64,
    /// Layers of one image. Docker stops at 127.
    pub layers_per_image_max: u64,
    /// Bytes of a manifest, an index or an image configuration.
    pub manifest_size_bytes_max: u64,
    /// Members of an archive that holds images.
    pub archive_members_max: u64,
    /// Links that are followed until a path is resolved, as in Linux.
    pub link_depth_max: u32,
    /// Path components that are looked up while the links of one image are followed. An image
    /// with links in all of the usual places needs a few hundred.
    pub link_components_max: u64,
    /// Files and directories that are read in a second pass because links of one image lead there.
    /// Real images need a handful.
    pub aliases_per_image_max: u64,
    /// Whiteouts, opaque markers and links that are kept of one layer.
    pub markers_per_layer_max: u64,
    /// Problems that are kept of one layer; the rest is counted.
    pub problems_per_layer_max: u64,
    /// Bytes of the answer of a registry's or an engine's JSON endpoint.
    pub api_answer_size_bytes_max: u64,
    /// Bytes of a file in which an engine lists its images, which is read whole. That of a node with
    /// 1,000 images has 20 MB.
    pub engine_metadata_size_bytes_max: u64,
    /// Bytes of an advisory database's archive, uncompressed.
    pub database_size_bytes_max: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_size_bytes_max: 128 * MIB,
            kept_file_size_bytes_max: 24 * MIB,
            document_part_size_bytes_max: 8 * MIB,
            sbom_elements_max: 1_000_000,
            dependency_graph_size_bytes_max: 16 * MIB,
            whole_file_size_bytes_max: 16 * MIB,
            toml_size_bytes_max: 3 * MIB / 2,
            buffered_file_size_bytes_max: 16 * MIB,
            program_data_size_bytes_max: 32 * MIB,
            archive_depth_max: 16,
            archive_entries_max: 2_000_000,
            archive_unpacked_size_bytes_max: 16 * GIB,
            archives_unpacked_ratio_max: 10,
            archives_unpacked_from_bytes: 4 * GIB,
            rpm_database_size_bytes_max: 256 * MIB,
            line_size_bytes_max: MIB,
            package_field_size_bytes_max: 4_096,
            packages_size_bytes_max: 256 * MIB,
            packages_per_image_size_bytes_max: 512 * MIB,
            packages_per_layer_max: 200_000,
            entries_per_layer_max: 4_000_000,
            layer_size_bytes_max: 1024 * GIB,
            compression_ratio_max: 1_100,
            compression_ratio_from_bytes: 4 * GIB,
            zstd_window_log_max: 27,
            path_size_bytes_max: 64 * 1024,
            directory_depth_max: 400,
            tar_extension_size_bytes_max: MIB,
            layers_per_image_max: 4_096,
            manifest_size_bytes_max: 16 * MIB,
            archive_members_max: 100_000,
            link_depth_max: 40,
            link_components_max: 200_000,
            aliases_per_image_max: 1_000,
            markers_per_layer_max: 2_000_000,
            problems_per_layer_max: 100,
            api_answer_size_bytes_max: 64 * MIB,
            engine_metadata_size_bytes_max: 256 * MIB,
            database_size_bytes_max: 16 * GIB,
        }
    }
}

//! Who is told how a scan goes on.

/// Is told how a scan goes on, from several threads.
pub trait ScanObserver: Send + Sync {
    /// An image was opened: it has so many layers, and so many of them must be read.
    fn image_opened(&self, name: &str, layers: usize, unknown_layers: usize);

    /// A layer was read.
    fn layer_read(&self, name: &str);

    /// An image was judged, or given up.
    fn image_done(&self, name: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilentObserver;

impl ScanObserver for SilentObserver {
    fn image_opened(&self, _: &str, _: usize, _: usize) {}
    fn layer_read(&self, _: &str) {}
    fn image_done(&self, _: &str) {}
}

//! Which failures may be gone at the next attempt.

use std::error::Error;
use std::io;

use cleanbill_image::ImageError;

/// Says whether trying again may help: the network or an engine failed. What is missing, forbidden,
/// malformed, not supported or too large is so the next time too.
pub fn is_transient(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(ImageError::Unavailable { .. }) = cause.downcast_ref() {
            return true;
        }
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            if is_of_network(error.kind()) {
                return true;
            }
            // What an error of this type wraps is not among its sources.
            if let Some(inner) = error.get_ref() {
                let inner: &(dyn Error + 'static) = inner;
                return is_transient(inner);
            }
        }
        next = cause.source();
    }
    false
}

fn is_of_network(kind: io::ErrorKind) -> bool {
    use io::ErrorKind;
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected
            | ErrorKind::BrokenPipe
            | ErrorKind::TimedOut
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    )
}

#[cfg(test)]
mod tests {
    use cleanbill_core::layer::LayerError;

    use super::*;

    fn read(source: io::Error) -> ImageError {
        ImageError::Layer(LayerError::Read {
            what: "layer 1".to_owned(),
            source,
        })
    }

    #[test]
    fn only_the_network_and_engines_fail_for_a_while() {
        let text = String::new;
        let unavailable = ImageError::Unavailable {
            place: text(),
            reason: text(),
        };
        assert!(is_transient(&unavailable));
        assert!(is_transient(&read(io::ErrorKind::ConnectionReset.into())));
        assert!(is_transient(&read(io::ErrorKind::TimedOut.into())));
        assert!(is_transient(&read(io::Error::other(unavailable))));
        let lasting = [
            ImageError::Offline { place: text() },
            ImageError::NotFound {
                what: text(),
                place: text(),
            },
            ImageError::Unauthorized {
                place: text(),
                reason: text(),
            },
            ImageError::Malformed {
                what: text(),
                reason: text(),
            },
            read(io::ErrorKind::NotFound.into()),
            read(io::ErrorKind::PermissionDenied.into()),
            read(io::ErrorKind::InvalidData.into()),
            ImageError::Layer(LayerError::exceeded("a", "b", 1)),
        ];
        for error in &lasting {
            assert!(!is_transient(error), "{error}");
        }
    }
}

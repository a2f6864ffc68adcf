//! Addresses as pictures for the camera of a phone.

use patchbay_model::Problem;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// An address for the camera of a phone, as SVG.
///
/// # Errors
/// When it is too long for that.
pub fn of(url: &str) -> Result<String, Problem> {
    let code = QrCode::with_error_correction_level(url, EcLevel::M).map_err(|error| Problem::internal(format_args!("an address does not fit a QR code ({error})")))?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(240, 240).quiet_zone(true).build())
}

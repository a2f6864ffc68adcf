//! What every store must do, whatever database is below. A second backend is one more entry of [`place::BACKENDS`].

mod consents;
mod deleting;
mod files;
mod isolation;
mod listing;
mod place;
mod refreshing;
mod rows;

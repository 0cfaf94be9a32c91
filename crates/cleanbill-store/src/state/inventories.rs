//! Inventories of images, to judge them again without reading them.

use cleanbill_core::Digest;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::StateReader;
use super::images::digest;
use super::packing::PackedInventory;
use super::rows::{NewInventory, StoredInventory};
use super::scans::number;
use crate::StoreError;

impl StateReader {
    /// Lists the images that can be judged again without reading them: those that are watched,
    /// whose last look was at an image of which there is an inventory that these rules made.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn inventory_list(&self, rules: &str) -> Result<Vec<StoredInventory>, StoreError> {
        let rows: Vec<(Option<Digest>, String)> = self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT v.image_id, i.name FROM inventory v
                     JOIN image_state s ON s.image_id = v.image_id
                     JOIN image i ON i.id = s.image
                     WHERE v.rules = ?1 AND i.gone_at IS NULL
                       AND coalesce(i.image_id, v.image_id) = v.image_id AND s.status <> 'failed'
                     ORDER BY v.image_id, i.name",
                )?
                .query_map([rules], |row| Ok((digest(row, 0)?, row.get(1)?)))?
                .collect()
        })?;
        let mut list: Vec<StoredInventory> = Vec::new();
        for (image_id, name) in rows {
            let Some(image_id) = image_id else { continue };
            match list.last_mut() {
                Some(last) if last.image_id == image_id => last.names.push(name),
                _ => list.push(StoredInventory {
                    image_id,
                    names: vec![name],
                }),
            }
        }
        Ok(list)
    }

    /// Returns an inventory. Several threads may ask at a time; what they get they decode on their
    /// own.
    ///
    /// # Errors
    ///
    /// SQLite failed.
    pub fn inventory_get(
        &self,
        image_id: &Digest,
        rules: &str,
    ) -> Result<Option<PackedInventory>, StoreError> {
        self.query(|connection| {
            connection
                .prepare_cached(
                    "SELECT inventory, size_bytes FROM inventory
                     WHERE image_id = ?1 AND rules = ?2",
                )?
                .query_row(params![image_id.as_bytes(), rules], |row| {
                    Ok(PackedInventory {
                        bytes: row.get(0)?,
                        size_bytes: row.get::<_, i64>(1)?.unsigned_abs(),
                    })
                })
                .optional()
        })
    }
}

/// Keeps an inventory. Those that other rules made of the image are of no use any more.
pub(super) fn put(
    connection: &Connection,
    inventory: &NewInventory,
    now: i64,
) -> rusqlite::Result<()> {
    let image_id = inventory.image_id.as_bytes();
    connection
        .prepare_cached("DELETE FROM inventory WHERE image_id = ?1 AND rules <> ?2")?
        .execute(params![image_id, inventory.rules])?;
    connection
        .prepare_cached(
            "INSERT INTO inventory (image_id, rules, size_bytes, used_at, inventory)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (image_id, rules) DO UPDATE SET size_bytes = excluded.size_bytes,
                 used_at = excluded.used_at, inventory = excluded.inventory",
        )?
        .execute(params![
            image_id,
            inventory.rules,
            number(inventory.packed.size_bytes),
            now,
            inventory.packed.bytes,
        ])
        .map(drop)
}

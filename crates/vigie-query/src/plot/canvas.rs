//! A canvas of Braille characters: 2 dots across and 4 down in each.

use super::Pen;

/// Dots across a character.
pub(super) const ACROSS: usize = 2;
/// Dots down a character.
const DOWN: usize = 4;
/// The bit of each dot, by column and row (Unicode, "Braille Patterns").
const BITS: [[u8; DOWN]; ACROSS] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BRAILLE: u32 = 0x2800;

/// The dots, and the last pen used in each character.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<(u8, u8)>,
}

impl Canvas {
    /// An empty canvas of the given size in characters.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            cells: vec![(0, 0); width * height],
        }
    }

    /// The dot at a fraction of the width (from the left) and of the height (from the bottom).
    pub(super) fn dot(&self, across: f64, up: f64) -> (usize, usize) {
        let place =
            |part: f64, dots: usize| (part.clamp(0.0, 1.0) * (dots - 1) as f64).round() as usize;
        let x = place(across, self.width * ACROSS);
        let y = self.height * DOWN - 1 - place(up, self.height * DOWN);
        (x, y)
    }

    /// Draws a line between two dots, both included.
    pub(super) fn line(&mut self, pen: u8, from: (usize, usize), to: (usize, usize)) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |from: usize, to: usize, step: usize| {
            let part = step as f64 / steps as f64;
            (from as f64 + (to as f64 - from as f64) * part).round() as usize
        };
        for step in 0..=steps {
            let (x, y) = (between(from.0, to.0, step), between(from.1, to.1, step));
            if let Some(cell) = self.cells.get_mut(y / DOWN * self.width + x / ACROSS) {
                *cell = (cell.0 | BITS[x % ACROSS][y % DOWN], pen);
            }
        }
    }

    /// The lines of text from top to bottom. Several series without colour are drawn as letters.
    pub(super) fn lines(
        &self,
        pen: impl Fn(u8) -> Pen,
        several: bool,
    ) -> impl Iterator<Item = String> {
        self.cells.chunks(self.width).map(move |row| {
            let mut line = String::new();
            let mut rest = row;
            while let Some(&(_, owner)) = rest.first() {
                // Characters of one owner share one change of colour.
                let same = rest
                    .iter()
                    .take_while(|cell| (cell.0 == 0) == (rest[0].0 == 0) && cell.1 == owner);
                let (run, after) = rest.split_at(same.count());
                let pen = pen(owner);
                let text: String = run
                    .iter()
                    .map(|&(dots, _)| match dots {
                        0 => ' ',
                        _ if several && !pen.colour => pen.letter(),
                        dots => char::from_u32(BRAILLE + u32::from(dots)).unwrap_or(' '),
                    })
                    .collect();
                line += &if run[0].0 == 0 {
                    text
                } else {
                    pen.paint(&text)
                };
                rest = after;
            }
            line.trim_end().to_owned()
        })
    }
}

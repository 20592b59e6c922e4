#!/bin/sh
# Makes disk images with Hercules' own tools (Debian package hercules, 3.13) and says what they say of them.
# Usage: make-images.sh DIRECTORY          needs dasdinit, dasdload, dasdls, dasdcat, dasdseq, python3
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
python3 "$here/make-inputs.py" inputs
cat > volume.ctl <<'CTL'
PHL001 3390-1 4
PARHEL.TEST.LIB XMIT inputs/lib.xmit CYL 1 0 5 PO FB 80 3120
PARHEL.TEST.CARDS SEQ inputs/cards.ebc TRK 2 1 0 PS FB 80 800
PARHEL.TEST.WIDE SEQ inputs/wide.ebc TRK 8 1 0 PS FB 133 1330
PARHEL.TEST.EMPTY EMPTY TRK 1 0 0 PS VB 255 6233
PARHEL.TEST.NOLIB EMPTY TRK 2 0 3 PO U 0 6144
SYS1.VTOC VTOC TRK 2
CTL
rm -f -- *.ckd *.cckd
dasdload volume.ctl loaded.ckd 0
dasdload -z volume.ctl loaded-zlib.cckd 0
dasdload -bz2 volume.ctl loaded-bzip2.cckd 0
dasdinit plain.ckd 3390 PLAIN1 2
dasdinit small-3380.ckd 3380 SMALL1 1
dasdinit -z zlib.cckd 3390-1 ZLIB01
dasdinit -bz2 bzip2.cckd 3390-1 BZIP01
dasdinit -0 -r none.cckd 3390-3
dasdinit -linux -z linux.cckd 3390-1 LNX001
for model in 1 2 3 9 27 54; do dasdinit -z "m$model.cckd" "3390-$model" "MOD$model"; done
# Without -lfs a disk of more than 2 GiB becomes several files: split_1.ckd and split_2.ckd, 2.8 GB.
dasdinit split_1.ckd 3390-3 SPLIT1

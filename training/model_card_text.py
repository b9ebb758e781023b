"""What MODEL_CARD.md says beside its figures, section by section, as Markdown."""

HEAD = """\
# Model card of FER Live's networks

Written by `python -m training.model_card` from the `.json` cards beside it: change those, not this. The sections are
those of Mitchell et al. 2019 (arXiv 1810.03993); `docs/weights.md` tells how the weights are made and what each
figure means."""

LICENCE = "Licence: GPL-3.0-or-later, as all of FER Live. What that cannot settle is said under training data."

LABELS = """\
A label says which of seven groups of pictures a face resembles most. FER2013's pictures were found by searching the
web for words of emotion, so a label tells what a picture was found under and what a few people let pass. It does not
tell what the person felt: people show the same feeling with different faces, and the same face with different
feelings (Barrett et al. 2019, doi 10.1177/1529100619832930). Nor is a probability a strength: "sad, 90 %" does not
mean very sad, but that about nine in ten such pictures carry the label sad in FER2013. `uncertain` in the app means
that no label was likely enough."""

FACTORS = """\
Age, sex, skin, culture, glasses, beards, masks and make-up are likely to matter, but FER2013 records none of them, so
the figures are split by expression alone. How small, blurred, dark and compressed faces do is measured by
`python -m training.degrade`; how framing does, in `docs/framing.md`."""

METRICS = """\
- Accuracy: share of faces called as FER2013 does, with the 95 % interval of Wilson (1927).
- Macro-F1: mean F1 of the seven labels, so that rare disgust counts as much as frequent happy; its 95 % interval
  comes from bootstrap samples of the faces.
- Recall by label, with the same interval as accuracy; precision and F1.
- Calibration error (ECE): mean gap between confidence and accuracy in 15 bins of confidence.

Intervals tell what chance in the choice of faces does. They tell nothing about other people, cameras or light, nor
about another run of the same recipe. The most probable label counts, without threshold and without test-time
augmentation."""

TRAINING_DATA = """\
FER2013 (Goodfellow et al. 2013, arXiv 1307.0414): 48x48 px grey faces that a web search found by words of emotion,
with words of sex, age and ethnicity beside them, and that people then filtered. Weights named above as start or
teacher were trained on the same rows. Where the table above says so, FER+'s votes on those rows had a say in the
targets. Nothing else was used.

- **Licence.** It was published for a Kaggle competition and names no licence for its pictures. Their photographers
  and the people shown were not asked. FER Live contains none of the pictures; whoever trains gets them from Kaggle,
  on the terms given there. If weights made from such pictures matter to your rights or duties, ask someone who knows
  the law.
- **Label noise.** People agree with its labels about 65 % of the time, says its paper. Some pictures are no faces,
  some are there twice, and some of those with two labels. FER+ (Barsoum et al. 2016, arXiv 1608.01041) has ten more
  people's votes on each picture; `python -m training.evaluate --votes` shows how accuracy depends on how far they
  agree."""

ETHICS = """\
- Faces are personal, and what a program says about a feeling sticks. Analyse only people who agreed to it, show them
  what is recorded, and delete it when they ask. FER Live works on this computer alone and stores no pictures unless
  asked.
- In the European Union, inferring emotions of people at work or in education is prohibited, but for medical and
  safety reasons (Regulation (EU) 2024/1689, Article 5(1)(f)).
- Errors are not spread evenly: see recall by label. Differences between groups of people were not measured and must
  be expected. Do not compare groups with these weights."""

CAVEATS = """\
- Validation chose the best epoch and the temperature, so its figures are a little too good; PrivateTest did not.
- Faces that are also in Training have been seen before: the figures without them are the fairer ones.
- Faces that tools find in video are framed a little differently from FER2013's; pictures of the same person in a row
  share their errors, so averaging over time does not remove them.
- Before a study, measure on faces like yours, labelled by people who know them, and report that figure."""

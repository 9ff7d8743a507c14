"""English titles, captions and limits of the figures, in one place: the keys of their translations.

Placeholders are filled by `transxnet.messages.Message`.
"""

from __future__ import annotations

# ---- attention.py ----------------------------------------------------------------------------------------

ATTENTION_DEPTH_TITLE = "Attention over depth"
ATTENTION_DEPTH_CAPTION = (
    "All blocks from left to right; each head is averaged over all queries. Entropy is divided by log(number of keys): "
    "0 = one key, 1 = uniform. Distance: from the query to its keys, weighted by attention, in pixels of the model "
    "input. {models}."
)
ATTENTION_DEPTH_LIMITS = (
    "Low entropy does not mean a better head, nor large distance a more important one: weights do not say how their "
    "result is used. Only OSRA's half of the channels has attention."
)
ATTENTION_DEPTH_MODEL = (
    "{name} (input {width} × {height} px): mean entropy {mean}, lowest {lowest} in stage {stage}, block {block}, head "
    "{head}"
)
PATHWAY_ENERGIES_MODEL = "{name}: {share} averaged over blocks, {varying} of the variation"
PATHWAY_ENERGIES_TITLE = "The two pathways of D-Mixer"
PATHWAY_ENERGIES_CAPTION = (
    "Energy: mean squared value of each pathway's output. The rest is IDConv's, or that of a static convolution in a "
    "model without generated kernels. Right: after subtracting each channel's mean over positions, since a constant "
    "carries no spatial information. OSRA's share, {models}."
)
PATHWAY_ENERGIES_LIMITS = (
    "Energy is not importance: it is measured before STE merges the pathways and before LayerScale, far from the "
    "classifier. How the prediction depends on a pathway is measured by ablation."
)
ATTENTION_HEADS_MODEL = "{name}: the largest weight of any head is {largest}, and {key}"
ATTENTION_HEADS_TITLE = "All heads at one position"
ATTENTION_HEADS_CAPTION = (
    "Raw attention weights of OSRA (after the softmax). The weights of a query sum to 1 over the keys, for each head "
    "and for their mean, but not for the maximum over heads. The weights that a key receives have no fixed sum. "
    "{models}."
)
ATTENTION_HEADS_LIMITS = (
    "Weights say what is mixed into one half of the channels at a position, not why a class is predicted. A key is not "
    "a pixel: its window overlaps its neighbors', and its receptive field is larger than its window. A key that "
    "receives much attention may lie where nothing is visible."
)
ATTENTION_HEADS_KEY_UNIFORM = "the key receives the uniform weight"
ATTENTION_HEADS_KEY = "the key receives {multiple} × the uniform weight"
ROLLOUT_MODEL = "{name}, last panel: {share} of the map moved by attention"
ROLLOUT_TITLE = "Attention rollout (approximation)"
ROLLOUT_CAPTION = (
    "In every block half of a unit's weight stays on the residual path and half is distributed by OSRA's attention, "
    "through the footprints of the reduction, of the transitions between stages and of the stem, down to pixels. Drawn "
    "as means over {stride} × {stride} pixels, the stride of the stem. The coarse grid is where windows of keys "
    "overlap; the last rows and columns are empty where no window reaches them. What attention moves is measured "
    "against the same rollout with uniform attention. {models}."
)
ROLLOUT_LIMITS = (
    "An approximation: it ignores IDConv, DPE, the depthwise convolutions of MS-FFN, STE, the local convolution of "
    "OSRA, all norms and the weights of the residual branches, and OSRA has half of the channels. It says from where "
    "attention could have carried information, not that the information was used."
)

# ---- erf.py ----------------------------------------------------------------------------------------------

ERF_PATHWAYS_MODEL = (
    "{name}: with everything detached the total is {ratio} × that of the full map, rank correlation {rank}"
)
ERF_PATHWAYS_TITLE = "Receptive field, decomposed"
ERF_PATHWAYS_CAPTION = (
    "Absolute gradient of the marked unit's features for each pixel. In every map but the first something is detached "
    "(stop-gradient): IDConv's generated kernels and biases, OSRA's attention weights, GroupNorm's statistics, or all "
    "of them. One scale, in multiples of the mean of the same model's full map, since raw gradients of two models have "
    "no common unit. Colors are logarithmic over at most {decades} powers of ten; fainter values are dark. "
    "{models}.{similar}"
)
ERF_PATHWAYS_LIMITS = (
    "A gradient describes small changes only, and every pixel reaches every unit through pooling and norms: a wide "
    "receptive field is not what the unit attends to, and not an advantage in itself. A ratio to the full "
    "map's total may exceed 1, and ratios do not add up, because the pathways multiply each other."
)
ERF_PATHWAYS_SIMILAR = (
    " {models}: all maps rank the pixels alike (rank correlations above {rank}), so modulation has little effect "
    "here{hint}."
)
ERF_PATHWAYS_HINT = "; try stage 1"
ERF_CURVES_MODEL = "{name}: {raw} (published formula {published})"
ERF_CURVES_TITLE = "Extent of the receptive field"
ERF_CURVES_CAPTION = (
    "r(t): area of the smallest square that holds a share t of the gradient. Solid (raw map): of the gradient itself, "
    "about the unit's own pixel. Dashed (published formula): of log10(gradient + 1) about the center of the input, but "
    "from the absolute gradient of this one image at the model's own input size; the published protocol averages many "
    "images at 1024 px. 50% of the gradient lies within {models} of the model input. {layers}."
)
ERF_CURVES_LIMITS = (
    "Not comparable with published figures, which need the published protocol. The published formula depends on the "
    "units of the gradient: compare models by the solid curves. A gradient describes small changes only, and every "
    "pixel reaches every unit through pooling and norms: a wide receptive field is not what the unit attends to, and "
    "not an advantage in itself."
)
ERF_MODEL = "{name}: {raw} (published {published})"
ERF_NO_SQUARE = " {name}: no square of the protocol holds more than {share}% of A."
ERF_TITLE = "Effective receptive field"
ERF_CAPTION = (
    "{progress}{images} A as in RepLKNet's protocol, and the average gradient on one scale, in multiples of each "
    "model's mean. 50% of the gradient lies within {models} of the model input.{no_square}"
)
ERF_LIMITS = (
    "The published r(t) depends on the units of the gradient. A gradient describes small changes only, and every pixel "
    "reaches every unit through pooling and norms: a wide receptive field is not what the unit attends to, and not an "
    "advantage in itself."
)

# ---- kernel_figures.py -----------------------------------------------------------------------------------

KERNEL_CLUSTERS_TITLE = "Twelve representative kernels"
KERNEL_CLUSTERS_CAPTION = (
    "Kernels {origin}, clustered by shape (k-medoids on 1 − cosine similarity) and drawn on one scale, ±{limit}. Each "
    "represents the channels counted below it. {models}"
)
KERNEL_CLUSTERS_LIMITS = (
    "A kernel acts on normalized features inside its block, so it is not a filter on the image; all positions of the "
    "image share it. Clusters ignore magnitude: one may hold weak and strong kernels. The number of clusters is a "
    "choice."
)
KERNEL_CLUSTERS_MODEL = "{name}: {share}% of the variation in shape."
KERNEL_CLUSTERS_GENERATED = "generated for this image"
KERNEL_CLUSTERS_LEARNED = "learned, the same for every image"
KERNEL_CLUSTERS_MIXED = "generated for this image (of {models}: learned, the same for every image)"
KERNEL_CHANGE_TITLE = "How do kernels differ between images?"
KERNEL_CHANGE_CAPTION = (
    "{kernels} for two images, and first minus second, all on one scale, ±{limit}. Median relative distance between "
    "the two (÷ norm of the static kernel): {models}."
)
KERNEL_CHANGE_LIMITS = (
    "A kernel acts on normalized features inside its block, so it is not a filter on the image; all positions of the "
    "image share it. A difference does not mean that the prediction depends on it. One pair only: other pairs may "
    "differ more or less."
)
KERNEL_CHANGE_REPRESENTATIVE = "Kernels of the representative channels"
KERNEL_CHANGE_MOST = "Kernels of the channels that differ most"
KERNEL_GATES_TITLE = "Mixing weights of the learned kernels"
KERNEL_GATES_CAPTION = (
    "For twelve channels: the gate of each tap minus 1/G (light gray: no preference), the generated kernel, and the "
    "static kernel (uniform mixing). The gate of a tap depends on the same cell of a 7 × 7 grid over the image. Right: "
    "gate entropy, 0 = one learned kernel, 1 = uniform, averaged over channels for each tap and over taps for each "
    "channel.{mean}"
)
KERNEL_GATES_LIMITS = (
    "A kernel acts on normalized features inside its block, so it is not a filter on the image; all positions of the "
    "image share it. Gates may resemble the image but are not a saliency map: they say how kernels are mixed. Gates "
    "far from uniform change a kernel only where the learned kernels differ: see the distance to static."
)
KERNEL_GATES_MEAN = " Mean: {models}."
KERNEL_SPECTRUM_TITLE = "Frequency response of the kernels"
KERNEL_SPECTRUM_CAPTION = (
    "|FFT| of the kernels of one block, averaged over channels. Center = zero frequency (constant input), edges = "
    "highest frequency; directions as in the kernels. Right: mean over rings of equal frequency (above 0.5 only "
    "diagonal ones), with the interquartile range of the generated channels shaded. A response that falls with "
    "frequency smooths, one that rises takes differences. Median centroid: {models} cycles per unit (a single tap, "
    "which passes all frequencies, has 0.383)."
)
KERNEL_SPECTRUM_LIMITS = (
    "A unit is a step of the stage's grid, not a pixel, and kernels act on normalized features: this does not describe "
    "frequencies of the image. The residual paths of the block and later layers have responses of their own."
)
KERNEL_DEPTH_TITLE = "How far kernels are from static, over depth"
KERNEL_DEPTH_CAPTION = (
    "Relative distance to the static kernel (÷ its norm) of the kernels of every block for this image, and how "
    "selective the gates were. {models}"
)
KERNEL_DEPTH_LIMITS = (
    "One image. A block with a large distance may matter little: ablation measures that. Entropy describes the gates, "
    "distance their effect: where the learned kernels are alike, selective gates change nothing."
)
KERNEL_DEPTH_LEARNED = "{name}: learned kernels, the same for every image."
KERNEL_DEPTH_MODEL = "{name}: largest in stage {stage}, block {block}, {distance}."

# ---- ablation_table.py -----------------------------------------------------------------------------------

ABLATION_TABLE_TITLE = "What does each part do for this image?"
ABLATION_TABLE_CAPTION = (
    "Change of the target class’s logit when a part is changed: in one block (bars), in a whole stage (dark lines and "
    "their numbers), in the whole model (last bar). Raw logits; all charts share one scale. “One head off” uses in "
    "each block the head that changes the logit most on its own; where a stage has one head, that is OSRA’s "
    "half.{kernels}"
)
ABLATION_TABLE_LIMITS = (
    "The models were not trained with a part changed. A large change means that the part is used here, for this image, "
    "not that a model trained without it would be worse by as much: compare with the variants that were trained "
    "without one, pico_static, pico_noosra and pico_noste. A small change may mean that another part compensates. "
    "Blocks do not add up to their stage, nor stages to the whole model. An untrained T, S or B hardly changes: its "
    "LayerScale starts at 1e-5, so that no part has much effect yet."
)
ABLATION_TABLE_KERNELS = " Borrowed kernels are those of {images}."
ABLATION_HEADS_TITLE = "What does each attention head of stage {stage} do for this image?"
ABLATION_HEADS_CAPTION = (
    "Change of the target class’s logit with one head of stage {stage} turned off in one block. Raw logits; all charts "
    "share one scale. Heads and blocks count from 1."
)
ABLATION_HEADS_LIMITS = (
    "The models were not trained with a head off. A large change means that the head is used here, for this image; a "
    "small one may mean that other heads compensate. Changes of single heads do not add up to those of their block. "
    "Where a stage has one head, turning it off removes all of OSRA’s half."
)

# ---- sanity_checks.py ------------------------------------------------------------------------------------

FAITHFULNESS_TITLE = "Faithfulness: insertion and deletion"
FAITHFULNESS_CAPTION = (
    "Probability of the target class while pixels turn {baseline} in the order of the map (deletion) or appear in it "
    "(insertion). Numbers are areas under the curves: lower is better for deletion, higher for insertion. Dashed, and "
    "after “vs”: chance, the mean of {copies} copies of the map shifted elsewhere, with a 90% prediction interval (±). "
    "All charts of one model share one scale."
)
FAITHFULNESS_LIMITS = (
    "The model was not trained on images with holes, which cause part of each fall. A map that always marks the center "
    "finds the subject of most photos. Areas of different images are not comparable."
)
RANDOMIZATION_TITLE = "Sanity check: parameter randomization"
RANDOMIZATION_CAPTION = (
    "Rank correlation (Spearman) with the original map while the weights of a copy of the model are randomized, from "
    "the head down to the stem. Lines: single-pass methods, one cascade. Dots and numbers: mean over fully random "
    "copies (whisker: range); for multi-pass methods a single copy. “abs”: correlation of absolute values, where it is "
    "larger. Below, the maps, each on its own scale, with the correlation for that copy. A map that stays near 1 does "
    "not explain the model."
)
RANDOMIZATION_LIMITS = (
    "A map that changes is not therefore right. Maps of an inner stage can change only once that stage is randomized. "
    "Smooth maps, and maps of few values, correlate by chance."
)
AGREEMENT_TITLE = "Do the maps agree?"
AGREEMENT_CAPTION = (
    "Above the diagonal: rank correlation (Spearman) of two maps over the pixels of the model input, -1 to 1. Below "
    "it: overlap of the top {share}% of pixels of each map, intersection over union, 0 to 1 ({chance} by chance)."
)
AGREEMENT_LIMITS = "Maps that agree may all be wrong, and maps that answer different questions have no reason to agree."
CHECKS_TITLE = "Sanity checks"
CHECKS_CAPTION = (
    "Outcomes for each map of {targets}. Model: does the map depend on the model? Correlation: rank correlation with "
    "the same map of random copies. Prediction: does the map find what matters, better than the same map shifted "
    "elsewhere? Deletion (lower is better) and insertion (higher is better) are areas under the curve of the "
    "probability, next to those of the shifted copies; p: one-sided, of both together, corrected for the number of "
    "maps tested (Holm). Inconclusive: one image cannot tell. No verdict: the initial probability is below 10%, or the "
    "map makes no claim about the class. Verdicts use conventional thresholds; rely on the numbers."
)
CHECKS_RATES = (
    "How often the test of the prediction passes, measured on {model} (weights {weights}…), with 95% intervals: of "
    "{images} images that the model gets right, Grad-CAM of stage 4 passes for {alone} as the only map tested and for "
    "{together} as the best of {maps}; of {pairs} pairs of an image and a map that knows nothing of it (Grad-CAM of "
    "another image, or a random field as smooth), {false_alone} and {false_together} pass."
)
CHECKS_RATES_RANDOM = (
    "With random weights, for their top class and without the rule of 10%: {alone} and {together} of the Grad-CAM "
    "maps, {false_alone} and {false_together} of the maps that know nothing."
)
CHECKS_LIMITS = (
    "A map that passes has survived two tests that bad maps fail. That does not make it the reason for the prediction; "
    "a map that fails should not be reported."
)

# ---- variants.py -----------------------------------------------------------------------------------------

VARIANTS_TITLE = "Do the models agree?"
VARIANTS_CAPTION = (
    "Maps of the region that all models see. Each method has one scale, with the units below its first map. Rank "
    "correlation (Spearman) over the pixels; overlap: intersection over union of the top 10% of the pixels of each map "
    "({chance} by chance)."
)
VARIANTS_LIMITS = (
    "Models that agree may be wrong together. Two models share a scale here, although their features have no common "
    "unit: compare shapes, not heights."
)

# ---- figures.py ------------------------------------------------------------------------------------------

VARIANTS_LEFT_OUT = "Left out: {maps}, because the models explain different classes ({classes})."
SHEET_TITLE = "Overview"
SHEET_CAPTION = "One row a model, one column a method. Each column shares one color scale."
MAPS_TITLE = "More methods for the same prediction"
MAPS_CAPTION = "One row a model, one column a method. Each column shares one color scale."
MAPS_LIMITS = "Each method answers a different question, so they need not agree. The sanity checks below test each map."

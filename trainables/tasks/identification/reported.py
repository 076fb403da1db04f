"""Every metric that the identification task may report, with its meaning. Not all apply to each loss and mining."""

from collections.abc import Mapping

from trainables.mining.strategies import Reason


def _by_protocol(name: str, meaning: str) -> dict[str, str]:
    return {
        f"val/{name}": f"{meaning}, in the protocol that is asked for",
        f"val/{name}_same_day": f"{meaning}, finding records of the same day",
        f"val/{name}_cross_day": f"{meaning}, finding records of another day",
    }


METRICS: Mapping[str, str] = {
    **_by_protocol("rank_at_1", "share of queries whose nearest record is of their person"),
    "val/rank_at_5": "the same within the first 5",
    "val/rank_at_10": "the same within the first 10",
    **_by_protocol("chance_rank_at_1", "Rank@1 of a random ranking"),
    "val/chance_rank_at_5": "Rank@5 of a random ranking",
    "val/chance_rank_at_10": "Rank@10 of a random ranking",
    **_by_protocol("raw_rank_at_1", "Rank@1 of the median beats themselves, by cosine; measured once, at step 0"),
    "val/mean_average_precision": "mean over queries of the precision at each of their person's records",
    "val/chance_mean_average_precision": "the same of a random ranking",
    "val/map_at_r": "as mean_average_precision, over as many first places as there are records to find",
    "val/chance_map_at_r": "the same of a random ranking",
    **_by_protocol("num_queries", "queries with a record to find"),
    **_by_protocol("num_excluded_queries", "queries without one; left out, unless evaluation.queries is all"),
    "val/gallery_size": "records that a query is compared with, mean",
    "val/auc": "area under the ROC curve of pairs of records: same person or not",
    "val/eer": "error rate of that question where both kinds of error are as frequent",
    "val/intra_distance": "mean distance of records of one person, over all of val",
    "val/inter_distance": "mean distance of records of different people, over all of val",
    "val/distance_ratio": "inter over intra distance, over all of val",
    "val/nearest_negative_distance": "mean distance to the nearest record of somebody else",
    "val/closer_positive_fraction": "share of a person's other records that are nearer than anybody else's",
    "val/nearest_neighbor_accuracy": "share of records whose nearest other record is of their person",
    "val/calinski_harabasz": "spread between people over spread within",
    "val/calinski_harabasz_chance": "the same with shuffled labels",
    "val/davies_bouldin": "mean overlap of each person with the most similar one; 0 at collapse",
    "val/davies_bouldin_chance": "the same with shuffled labels",
    "val/resultant_length": "norm of the mean embedding; 1 is collapse to a point",
    "val/mean_cosine": "mean cosine of all pairs",
    "val/matched_cosine": "mean cosine of records of one person",
    "val/unmatched_cosine": "mean cosine of records of different people",
    "val/effective_rank": "effective number of dimensions in use",
    "val/effective_rank_centred": "the same after subtracting the mean embedding",
    "val/top_variance_fraction": "share of the variance along the first axis",
    "val/embedding_size": "dimensions that there are",
    "val/num_excluded_records": "records left out because they cannot be used (data.bad_records: exclude)",
    "train/num_excluded_records": "the same among the training records",
    "train/num_excluded_people": "people with one record only: nothing to learn likeness from, so in no batch",
    "train/rank_at_1": "Rank@1 among the training records, whatever their day",
    **{
        f"{split}/{name}_loss": f"{name} loss on {where}"
        for name in ("supcon", "contrastive", "triplet", "multi_similarity")
        for split, where in (
            ("train", "the pairs that mining left"),
            ("val", "all pairs of batches like the training's"),
        )
    },
    **{
        f"val/{name}_{bound}": meaning
        for name in ("supcon", "contrastive", "triplet", "multi_similarity")
        for bound, meaning in (
            ("chance", "its value when all embeddings are equal"),
            ("floor", "the lowest value that it can have"),
            ("position", "0 at the floor, 1 at chance"),
        )
    },
    "train/loss": "the loss, mean over the epoch's steps",
    **{
        f"train/{share}_share_{name}": "1: there is one loss"
        for share in ("weight", "loss", "grad")
        for name in ("supcon", "contrastive", "triplet", "multi_similarity")
    },
    "train/intra_distance": "mean distance of the positive pairs that the loss was given; says nothing of neighbours",
    "train/inter_distance": "mean distance of the negative pairs that the loss was given",
    "train/distance_ratio": "the latter over the former",
    "train/active_negative_fraction": "share of negatives within the margin, or kept by Multi-Similarity",
    "train/active_triplet_fraction": "share of triplets within the margin",
    "train/mining_strategy": "the strategy asked for: 0 random, 1 semi_hard, 2 hard, 3 full_hard, 4 farthest",
    "train/mining_requested_fraction": "share of anchors for which it could be followed",
    **{
        f"train/mining_fallback_{reason.value}": f"share of anchors for which it could not: {reason.value}"
        for reason in Reason
        if reason is not Reason.AS_REQUESTED
    },
    "train/negative_percentile": "place of the chosen negative among the candidates: 0 nearest, 1 farthest",
    "train/mining_pool_size": "negatives that an anchor could choose from, mean",
    "train/embedding_age_steps": "steps since the embedding of the chosen negative was computed, mean",
    "train/memory_size": "embeddings in the memory, mean",
    "train/memory_age_steps": "steps since they were computed, mean",
    "train/distinct_items_fraction": "distinct records over places in a batch",
    "train/classes_per_batch": "people in a batch",
    "train/anchors_without_positive_fraction": "share of places whose person has no other record in the batch",
    "train/positives_per_anchor": "other records of the person in the batch, mean",
    "train/temperature": "temperature in effect",
    "train/margin": "margin in effect",
    "train/grad_norm": "gradient norm before clipping, mean over the epoch's steps",
    "train/grad_norm_max": "the largest of the epoch",
    "train/grad_norm_encoder": "the same as grad_norm: there is one part",
    "train/clipped_fraction": "share of the steps whose gradient was scaled down",
    "train/update_ratio": "norm of the first step's change of the parameters over their norm",
    "train/num_skipped_batches": "batches without a single pair to learn from",
    "train/lr": "learning rate in effect",
}

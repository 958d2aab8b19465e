#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {

namespace {

auto model_type() {
  return name_of({
      {"lr", "logistic regression"},
      {"fm", "factorization machine"},
      {"wide_deep", "Wide & Deep"},
      {"deepfm", "DeepFM"},
      {"mlp", "embeddings and numbers into fully connected layers"},
      {"mf", "matrix factorization: user and item vectors and biases"},
      {"neumf", "NeuMF: GMF and MLP halves"},
      {"dcn_v2", "DCN-V2: explicit crosses of all fields, and a deep net"},
      {"dlrm", "DLRM: inner products of all pairs of fields, between two deep nets"},
      {"finalmlp", "FinalMLP: two deep nets over gated fields, fused by a bilinear product"},
      {"sequence", "what comes next, from the items before: self-attention, recurrence or convolution"},
      {"ials", "alternating least squares for implicit feedback"},
  });
}

auto loss_type() {
  return word<LossKind>({
      {"bce", LossKind::kBce, "logistic loss"},
      {"mse", LossKind::kMse, "squared error"},
      {"bpr", LossKind::kBpr, "a positive above its negatives, pair by pair"},
      {"sampled_softmax", LossKind::kSampledSoftmax, "a positive among its negatives, with logQ correction"},
      {"ultragcn", LossKind::kUltraGcn,
       "logistic loss with UltraGCN's weights by degree, which stand for a graph's layers; in-batch "
       "negatives"},
  });
}

SectionBuilder<ModelConfig>& add_sequence(SectionBuilder<ModelConfig>& section) {
  const auto encoder = word<SequenceEncoder>({
      {"sasrec", SequenceEncoder::kSasrec, "causal self-attention"},
      {"gru4rec", SequenceEncoder::kGru4rec, "gated recurrent units"},
      {"caser", SequenceEncoder::kCaser, "convolutions over the latest items, and a vector of the user"},
  });
  return section.key("encoder", &ModelConfig::encoder, encoder, "sequence: what reads the items before.")
      .key("max_length", &ModelConfig::max_length, integer<std::uint32_t>(between(1, 4096)),
           "sequence: so many of the latest items count.")
      .key("blocks", &ModelConfig::blocks, integer<std::uint32_t>(between(0, 64)),
           "sequence: layers of attention (sasrec) or recurrence (gru4rec); 0: the latest item alone.")
      .key("window", &ModelConfig::window, integer<std::uint32_t>(between(1, 256)),
           "sequence, caser: latest items that the convolutions see.")
      .key("filters", &ModelConfig::filters, integer<std::uint32_t>(between(0, 4096)),
           "sequence, caser: horizontal filters of each height from 1 to `window`.")
      .key("vertical_filters", &ModelConfig::vertical_filters, integer<std::uint32_t>(between(0, 4096)),
           "sequence, caser: vertical filters.");
}

}  // namespace

std::shared_ptr<const SectionSpec> model_schema() {
  const auto activation = word<Activation>({
      {"none", Activation::kNone, ""},
      {"relu", Activation::kRelu, ""},
      {"sigmoid", Activation::kSigmoid, ""},
      {"tanh", Activation::kTanh, ""},
      {"gelu", Activation::kGelu, ""},
      {"prelu", Activation::kPrelu, ""},
  });
  const auto structure = word<CrossStructure>({
      {"parallel", CrossStructure::kParallel, "beside the deep net, both over the fields"},
      {"stacked", CrossStructure::kStacked, "below the deep net, which reads the crosses"},
  });
  SectionBuilder<ModelConfig> section;
  section.key("type", &ModelConfig::type, model_type(), "The model.")
      .default_note("none: it must be given")
      .key("embedding_dim", &ModelConfig::embedding_dim, integer<std::uint32_t>(between(1, 4096)),
           "Floats of an embedding; a table may have its own (`tables`).")
      .key("hidden", &ModelConfig::hidden, list(integer<std::uint32_t>(between(1, 65536))),
           "Widths of the hidden layers.")
      .key("activation", &ModelConfig::activation, activation, "Behind each hidden layer.")
      .key("dropout", &ModelConfig::dropout, number<double>(between(0, 0.99)),
           "Share of hidden units left out in training.")
      .key("layer_norm", &ModelConfig::layer_norm, boolean(),
           "Normalises each hidden layer. mf: the score has the cosine of the vectors times the table "
           "`scale` in place of their product.")
      .key("use_bias", &ModelConfig::use_bias, boolean(), "mf: biases of user, item and all.")
      .key("use_gmf", &ModelConfig::use_gmf, boolean(), "neumf: the half with the product of the vectors.")
      .key("use_mlp", &ModelConfig::use_mlp, boolean(), "neumf: the half with hidden layers.")
      .key("cross_layers", &ModelConfig::cross_layers, integer<std::uint32_t>(between(0, 64)),
           "dcn_v2: cross layers; 0: the deep net alone.")
      .key("cross_rank", &ModelConfig::cross_rank, integer<std::uint32_t>(between(0, 65536)),
           "dcn_v2: rank of the cross layers' matrices; 0: full.")
      .key("cross_experts", &ModelConfig::cross_experts, integer<std::uint32_t>(between(1, 256)),
           "dcn_v2: matrices of low rank that a layer mixes.")
      .key("cross_structure", &ModelConfig::cross_structure, structure, "dcn_v2: where the crosses stand.")
      .key("bottom", &ModelConfig::bottom, list(integer<std::uint32_t>(between(1, 65536))),
           "dlrm: widths of the hidden layers over the numbers, before one of embedding_dim.")
      .key("hidden2", &ModelConfig::hidden2, list(integer<std::uint32_t>(between(1, 65536))),
           "finalmlp: widths of the second stream's hidden layers.")
      .default_note("as `hidden`")
      .key("heads", &ModelConfig::heads, integer<std::uint32_t>(between(0, 1024)),
           "finalmlp: blocks that the streams are cut into before they are multiplied; 0: no products. "
           "sequence, sasrec: parts of a vector that attend on their own.")
      .key("use_gates", &ModelConfig::use_gates, boolean(), "finalmlp: weighs the fields for each stream.")
      .key("gate1", &ModelConfig::gate1, list(text()),
           "finalmlp: features that the first stream's gate reads.")
      .default_note("the user's; a ctr job: none, the weights are the same for all examples")
      .key("gate2", &ModelConfig::gate2, list(text()),
           "finalmlp: features that the second stream's gate reads.")
      .default_note("the item's; a ctr job: none")
      .key("gate_hidden", &ModelConfig::gate_hidden, list(integer<std::uint32_t>(between(1, 65536))),
           "finalmlp: widths of the gates' hidden layers.");
  add_sequence(section)
      .key("loss", &ModelConfig::loss, loss_type(), "What training makes small.")
      .default_note("bce; mse for a rating job")
      .key("negative_weight", &ModelConfig::negative_weight, number<double>(at_least(0)),
           "ultragcn: weight of the mean over an example's negatives.")
      .key("ials_weight", &ModelConfig::ials_weight, number<double>(at_least(0)),
           "ials: weight of a pair that was not observed.")
      .key("ials_reg", &ModelConfig::ials_reg, number<double>(at_least(0)), "ials: L2 penalty.");
  return section.build();
}

}  // namespace capstan

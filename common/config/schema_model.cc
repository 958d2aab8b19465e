#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {

std::shared_ptr<const SectionSpec> model_schema() {
  const auto type = name_of({
      {"lr", "logistic regression"},
      {"fm", "factorization machine"},
      {"wide_deep", "Wide & Deep"},
      {"deepfm", "DeepFM"},
      {"mlp", "embeddings and numbers into fully connected layers"},
      {"mf", "matrix factorization: user and item vectors and biases"},
      {"neumf", "NeuMF: GMF and MLP halves"},
      {"ials", "alternating least squares for implicit feedback"},
  });
  const auto activation = word<Activation>({
      {"none", Activation::kNone, ""},
      {"relu", Activation::kRelu, ""},
      {"sigmoid", Activation::kSigmoid, ""},
      {"tanh", Activation::kTanh, ""},
      {"gelu", Activation::kGelu, ""},
      {"prelu", Activation::kPrelu, ""},
  });
  const auto loss = word<LossKind>({
      {"bce", LossKind::kBce, "logistic loss"},
      {"mse", LossKind::kMse, "squared error"},
      {"bpr", LossKind::kBpr, "a positive above its negatives, pair by pair"},
      {"sampled_softmax", LossKind::kSampledSoftmax, "a positive among its negatives, with logQ correction"},
  });
  return SectionBuilder<ModelConfig>()
      .key("type", &ModelConfig::type, type, "The model.")
      .default_note("none: it must be given")
      .key("embedding_dim", &ModelConfig::embedding_dim, integer<std::uint32_t>(between(1, 4096)),
           "Floats of an embedding; a table may have its own (`tables`).")
      .key("hidden", &ModelConfig::hidden, list(integer<std::uint32_t>(between(1, 65536))),
           "Widths of the hidden layers.")
      .key("activation", &ModelConfig::activation, activation, "Behind each hidden layer.")
      .key("dropout", &ModelConfig::dropout, number<double>(between(0, 0.99)),
           "Share of hidden units left out in training.")
      .key("layer_norm", &ModelConfig::layer_norm, boolean(), "Normalises each hidden layer.")
      .key("use_bias", &ModelConfig::use_bias, boolean(), "mf: biases of user, item and all.")
      .key("use_gmf", &ModelConfig::use_gmf, boolean(), "neumf: the half with the product of the vectors.")
      .key("use_mlp", &ModelConfig::use_mlp, boolean(), "neumf: the half with hidden layers.")
      .key("loss", &ModelConfig::loss, loss, "What training makes small.")
      .default_note("bce; mse for a rating job")
      .key("ials_weight", &ModelConfig::ials_weight, number<double>(at_least(0)),
           "ials: weight of a pair that was not observed.")
      .key("ials_reg", &ModelConfig::ials_reg, number<double>(at_least(0)), "ials: L2 penalty.")
      .build();
}

}  // namespace capstan

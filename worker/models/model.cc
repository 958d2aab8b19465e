#include "worker/models/model.h"

#include "common/assert.h"

namespace capstan {

Var Model::user_vectors(Tape&, const MicroBatch&) const {
  CAPSTAN_ASSERT(false, "the model has no user vectors");
}

Var Model::item_vectors(Tape&, const MicroBatch&) const {
  CAPSTAN_ASSERT(false, "the model has no item vectors");
}

}  // namespace capstan

// How a factory hands out its model.
#pragma once

#include <memory>
#include <utility>

#include "common/result.h"
#include "worker/models/model.h"

namespace capstan {

// M: a Model whose check() says whether it can stand on the job's features.
template <typename M>
Result<std::unique_ptr<Model>> checked(ModelTables tables) {
  auto model = std::make_unique<M>(std::move(tables));
  CAPSTAN_TRY(model->check());
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace capstan

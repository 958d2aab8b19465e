#include "common/wire/convert.h"

namespace capstan::wire {

void write(OptimizerSpec::Builder to, const capstan::OptimizerSpec& from) {
  to.setKind(static_cast<std::uint8_t>(from.kind));
  to.setLearningRate(from.learning_rate);
  to.setBeta1(from.beta1);
  to.setBeta2(from.beta2);
  to.setEpsilon(from.epsilon);
  to.setInitialAccumulator(from.initial_accumulator);
  to.setFtrlBeta(from.ftrl_beta);
  to.setL1(from.l1);
  to.setL2(from.l2);
  to.setL2Mode(static_cast<std::uint8_t>(from.l2_mode));
  to.setClipNorm(from.clip_norm);
  to.setScheduleKind(static_cast<std::uint8_t>(from.schedule.kind));
  to.setWarmupSteps(from.schedule.warmup_steps);
  to.setDecaySteps(from.schedule.decay_steps);
  to.setDecay(from.schedule.decay);
  to.setFloor(from.schedule.floor);
}
void read(OptimizerSpec::Reader from, capstan::OptimizerSpec& to) {
  to.kind = checked_enum(from.getKind(), OptimizerKind::kAssign);
  to.learning_rate = from.getLearningRate();
  to.beta1 = from.getBeta1();
  to.beta2 = from.getBeta2();
  to.epsilon = from.getEpsilon();
  to.initial_accumulator = from.getInitialAccumulator();
  to.ftrl_beta = from.getFtrlBeta();
  to.l1 = from.getL1();
  to.l2 = from.getL2();
  to.l2_mode = checked_enum(from.getL2Mode(), L2Mode::kDecayed);
  to.clip_norm = from.getClipNorm();
  to.schedule.kind = checked_enum(from.getScheduleKind(), ScheduleKind::kInverseSqrt);
  to.schedule.warmup_steps = from.getWarmupSteps();
  to.schedule.decay_steps = from.getDecaySteps();
  to.schedule.decay = from.getDecay();
  to.schedule.floor = from.getFloor();
}

void write(TableSpec::Builder to, const capstan::TableSpec& from) {
  to.setName(from.name);
  to.setDim(from.dim);
  to.setDtype(static_cast<std::uint8_t>(from.dtype));
  to.setDense(from.dense);
  to.setNumRows(from.num_rows);
  to.setInitKind(static_cast<std::uint8_t>(from.init.kind));
  to.setInitScale(from.init.scale);
  to.setFanIn(from.init.fan_in);
  to.setFanOut(from.init.fan_out);
  to.setInitSeed(from.init.seed);
  to.setZeroFromKey(from.init.zero_from_key);
  to.setMinCount(from.min_count);
  to.setTtlSeconds(from.ttl_seconds);
  to.setMaxRows(from.max_rows);
  write(to.initOptimizer(), from.optimizer);
}
void read(TableSpec::Reader from, capstan::TableSpec& to) {
  to.name = to_string(from.getName());
  to.dim = from.getDim();
  to.dtype = checked_enum(from.getDtype(), Dtype::kFloat16);
  to.dense = from.getDense();
  to.num_rows = from.getNumRows();
  to.init.kind = checked_enum(from.getInitKind(), InitKind::kHeNormal);
  to.init.scale = from.getInitScale();
  to.init.fan_in = from.getFanIn();
  to.init.fan_out = from.getFanOut();
  to.init.seed = from.getInitSeed();
  to.init.zero_from_key = from.getZeroFromKey();
  to.min_count = from.getMinCount();
  to.ttl_seconds = from.getTtlSeconds();
  to.max_rows = from.getMaxRows();
  read(from.getOptimizer(), to.optimizer);
}

}  // namespace capstan::wire

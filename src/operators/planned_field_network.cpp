// SPDX-License-Identifier: Apache-2.0
// Networks of fields made ready: what is asked of a plan is checked here.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "src/operators/field_plan.hpp"

namespace sobolev {

template <class T, class E>
PlannedFieldNetwork<T, E>::PlannedFieldNetwork(const E& executor, const FieldNetwork& network,
                                               const std::vector<std::size_t>& grid, std::size_t batch,
                                               Use use, const QueryPoints& query, bool input_adjoint)
    : plan_(std::make_unique<detail::FieldPlan<T, E>>(executor, network, grid, batch, use, query,
                                                      input_adjoint)) {}
template <class T, class E>
PlannedFieldNetwork<T, E>::PlannedFieldNetwork(PlannedFieldNetwork&&) noexcept = default;
template <class T, class E>
PlannedFieldNetwork<T, E>& PlannedFieldNetwork<T, E>::operator=(PlannedFieldNetwork&&) noexcept = default;
template <class T, class E>
PlannedFieldNetwork<T, E>::~PlannedFieldNetwork() = default;

template <class T, class E>
View<const T, 3> PlannedFieldNetwork<T, E>::forward(View<const T, 1> parameters, View<const T, 3> x) {
  return forward(parameters, x, View<const T, 3>(nullptr, 0, 0, 0));
}

template <class T, class E>
View<const T, 3> PlannedFieldNetwork<T, E>::forward(View<const T, 1> parameters, View<const T, 3> x,
                                                    View<const T, 3> points) {
  auto& p = *plan_;
  const auto& in = p.slots[0];
  require(x.extent(0) <= p.batch && x.extent(1) == in.points && x.extent(2) == in.channels &&
              parameters.size() == p.network.parameters(),
          [&] {
            return fmt::format(
                "the network takes fields of at most [{}, {}, {}] and {} parameters, not [{}] and {}",
                p.batch, in.points, in.channels, p.network.parameters(), fmt::join(x.shape(), ", "),
                parameters.size());
          });
  for (const auto& slot : p.slots)
    if (slot.query)
      require(points.extent(0) == (slot.shared ? 1 : x.extent(0)) && points.extent(1) == slot.points &&
                  points.extent(2) == slot.channels,
              [&] {
                return fmt::format("the network is asked at points [{}, {}, {}], not [{}]",
                                   slot.shared ? 1 : x.extent(0), slot.points, slot.channels,
                                   fmt::join(points.shape(), ", "));
              });
  p.input = x;
  p.query = points;
  for (std::size_t i = 0; i < p.network.instructions().size(); ++i) p.forward(i, parameters, x.extent(0));
  return p.read(p.network.slots() - 1, x.extent(0));
}

template <class T, class E>
void PlannedFieldNetwork<T, E>::backward(View<const T, 1> parameters, View<const T, 3> y_bar,
                                         View<T, 1> gradient) {
  auto& p = *plan_;
  require(p.use == Use::training,
          "the network was planned for inference and keeps nothing for a backward pass");
  const std::size_t b = p.input.extent(0);
  const int last = p.network.slots() - 1;
  const View<T, 3> own = p.adjoint(last, b);
  require(y_bar.shape() == own.shape() && gradient.size() == p.network.parameters() &&
              parameters.size() == p.network.parameters(),
          "backward: y_bar must have the shape of the last output, gradient and parameters that of the "
          "network's");
  detail::set_zero(p.executor, gradient);
  copy<T, 3>(p.executor, y_bar, own);
  p.written.assign(p.slots.size(), false);
  for (std::size_t i = p.network.instructions().size(); i-- > 0;) p.backward(i, parameters, gradient, b);
}

template <class T, class E>
View<const T, 3> PlannedFieldNetwork<T, E>::input_adjoint() const {
  require(!plan_->adjoint_of.empty() && plan_->adjoint_of[0] >= 0,
          "the network was planned without the adjoint of its input");
  return plan_->adjoint(0, plan_->input.extent(0));
}
template <class T, class E>
const std::vector<std::size_t>& PlannedFieldNetwork<T, E>::output_grid() const {
  return plan_->slots.back().grid;
}
template <class T, class E>
std::size_t PlannedFieldNetwork<T, E>::scratch_bytes() const {
  return plan_->bytes();
}

template class PlannedFieldNetwork<float>;
template class PlannedFieldNetwork<double>;
#if SOBOLEV_HAS_CUDA
template class PlannedFieldNetwork<float, Cuda>;
template class PlannedFieldNetwork<double, Cuda>;
#endif

}  // namespace sobolev

#include <algorithm>

#include "catalog/feed_item.hpp"

namespace bottega::catalog {

// The names of both vendors. What is ignored is theirs too, but says nothing that a catalogue
// keeps.
const FeedMapper::Name FeedMapper::kNames[] = {
    {"id", Field::id},
    {"title", Field::title},
    {"description", Field::description},
    {"availability", Field::availability},
    {"availability_date", Field::availability_date},
    {"condition", Field::condition},
    {"price", Field::price},
    {"sale_price", Field::sale_price},
    {"sale_price_effective_date", Field::sale_dates},
    {"link", Field::link},
    {"image_link", Field::image_link},
    {"additional_image_link", Field::more_images},
    {"brand", Field::brand},
    {"gtin", Field::gtin},
    {"mpn", Field::mpn},
    {"item_group_id", Field::group},
    {"color", Field::color},
    {"size", Field::size},
    {"material", Field::material},
    {"pattern", Field::pattern},
    {"product_type", Field::product_type},
    {"google_product_category", Field::google_category},
    {"quantity_to_sell_on_facebook", Field::quantity},
    {"status", Field::status},
    {"shipping_weight", Field::weight},
    {kExtraColumn, Field::extra},
    // Other spellings of the same.
    {"summary", Field::description},
    {"content", Field::description},
    {"image_url", Field::more_images},
    {"inventory", Field::quantity},
    {"quantity", Field::quantity},
    {"colour", Field::color},
    {"author", Field::ignored},
    {"author_name", Field::ignored},
    {"adult", Field::ignored},
    {"age_group", Field::ignored},
    {"custom_label_0", Field::ignored},
    {"custom_label_1", Field::ignored},
    {"custom_label_2", Field::ignored},
    {"custom_label_3", Field::ignored},
    {"custom_label_4", Field::ignored},
    {"fb_product_category", Field::ignored},
    {"gender", Field::ignored},
    {"guid", Field::ignored},
    {"identifier_exists", Field::ignored},
    {"image_tag", Field::ignored},
    {"is_bundle", Field::ignored},
    {"multipack", Field::ignored},
    {"pubdate", Field::ignored},
    {"shipping", Field::ignored},
    {"shipping_country", Field::ignored},
    {"shipping_price", Field::ignored},
    {"shipping_region", Field::ignored},
    {"shipping_service", Field::ignored},
    {"tax", Field::ignored},
    {"unit_pricing_base_measure", Field::ignored},
    {"unit_pricing_measure", Field::ignored},
    {"updated", Field::ignored},
    {"", Field::ignored},
};

FeedMapper::Field FeedMapper::field_of(std::string_view name) {
  const auto* row = std::ranges::find(kNames, name, &Name::name);
  return row == std::end(kNames) ? Field::unknown : row->field;
}

std::string_view FeedMapper::name_of(Field field) {
  return std::ranges::find(kNames, field, &Name::field)->name;
}

}  // namespace bottega::catalog

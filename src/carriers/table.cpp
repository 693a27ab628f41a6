// The numbers of the carriers, from https://github.com/jkeen/tracking_number_data (MIT), whose
// samples the tests read.
#include "carriers/rows.hpp"

namespace bottega::carriers {
namespace {

constexpr Carrier kCarriers[] = {
    {"amazon", "Amazon Logistics", ""},
    {"canada_post", "Canada Post",
     "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor=%s"},
    {"canpar", "Canpar", "https://www.canpar.com/en/track/tracking.jsp?reference=%s&locale=en"},
    {"dhl", "DHL", "https://www.dhl.com/en/express/tracking.html?brand=DHL&AWB=%s"},
    {"dpd", "DPD", "https://www.dpdgroup.com/nl/mydpd/my-parcels/track?lang=en&parcelNumber=%s"},
    {"fedex", "FedEx", "https://www.fedex.com/apps/fedextrack/?tracknumbers=%s"},
    {"gofo", "GOFO Express", "https://www.gofoexpress.com/tracking.html?searchID=%s"},
    {"landmark", "Landmark Global", "https://track.landmarkglobal.com/?search=%s"},
    {"lasership", "LaserShip", ""},
    {"old_dominion", "Old Dominion Freight Line",
     "https://www.odfl.com/us/en/tools/trace-track-ltl-freight/trace.html?proNumbers=%s"},
    {"ontrac", "OnTrac", "https://www.ontrac.com/tracking/?number=%s"},
    {"purolator", "Purolator", "https://www.purolator.com/en/shipping/tracker?searchValue=%s"},
    {"speedee", "Spee-Dee Delivery", "https://www.speedeedelivery.com/track/?tracking=%s"},
    {"ups", "UPS", "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums=%s"},
    {"usps", "United States Postal Service",
     "https://tools.usps.com/go/TrackConfirmAction?tLabels=%s"},
    {"yodel", "Yodel", "https://www.yodel.co.uk/tracking/%s"},
    {"yunexpress", "YunExpress", "https://www.yuntrack.com/parcelTracking?id=%s"},
};

constexpr Shape kShapes[] = {
    {"ups", "ups", "1Z*{15}#", Sum::odd2, 15},
    {"ups_waybill", "ups", "[AHJKTV]#{10}", Sum::odd2, 9},
    {"usps_20", "usps", "#{20}", Sum::even3, 19},
    {"usps_impb_n", "usps", "94#{20}|94#{24}|94###9#{24}", Sum::even3, 0, 0, "", true},
    {"usps_impb_c", "usps",
     "92###9#{16}|92###9#{20}|93###[0-8]#{16}|93###[0-8]#{20}|95#{20}|95#{24}", Sum::even3, 0, 0,
     "", true},
    {"usps_legacy", "usps", "91#{20}", Sum::even3, 0, 0, "", true},
    {"usps_legacy_20", "usps", "#{20}", Sum::even3, 0, 0, "91", true},
    {"fedex_12", "fedex", "#{12}", Sum::w137, 11},
    {"fedex_34", "fedex", "[0-8]#{33}", Sum::w137, 13},
    {"fedex_astra_32", "fedex", "3#{31}", Sum::w137, 11, 4},
    {"fedex_ground", "fedex", "#{15}", Sum::odd3, 14},
    {"fedex_ground_sscc_18", "fedex", "#{18}", Sum::even3, 15},
    {"fedex_ground_96", "fedex", "96#{20}", Sum::odd3, 14},
    {"fedex_ground_gsn", "fedex", "96#{32}", Sum::w137, 13},
    {"dhl_express", "dhl", "#{10}|#{11}", Sum::mod7},
    {"dhl_express_piece_id", "dhl", "J@{2,3}#{9,10}"},
    {"dhl_ecommerce", "dhl",
     "GM#*{9,38}|LX#*{9,38}|RX#*{9,38}|UV#*{9,38}|CN#*{9,38}|SG#*{9,38}|TH#*{9,38}|IN#*{9,38}|"
     "HK#*{9,38}|MY#*{9,38}"},
    {"dhl_ecommerce_14", "dhl", "#{14}"},
    {"dpd", "dpd", "#{27}*", Sum::mod37, 27},
    {"dpd_14", "dpd", "#{14}*", Sum::mod37, 14},
    {"canada_post", "canada_post", "#{16}", Sum::even3, 15},
    {"canpar_22", "canpar", "[CDKLSUXZ]#{21}"},
    {"purolator_numeric", "purolator", "[0-5]#{11}", Sum::luhn, 11},
    {"purolator_alpha", "purolator", "@@@#{9}"},
    {"ontrac_c", "ontrac", "C#{14}", Sum::odd2, 13, 0, "4"},
    {"ontrac_d", "ontrac", "D#{14}", Sum::odd2, 13, 0, "5"},
    {"lasership_lx", "lasership", "L[AEHINX][1-3]#{7}"},
    {"lasership_1ls7", "lasership", "1LS7[12]#{10}"},
    {"lasership_1ls7_18", "lasership", "1LS7[12]##01[1-4]#{6}1"},
    {"lasership_1lscx", "lasership", "1LSCX*{10}"},
    {"old_dominion", "old_dominion", "77[78]#{8}|072#{8}|780#{8}", Sum::luhn, 10},
    {"old_dominion_guaranteed", "old_dominion", "80#{9}", Sum::luhn, 10},
    {"speedee", "speedee", "SP#{18}"},
    {"yodel", "yodel", "JD#{16}|JJD#{16}"},
    {"yunexpress", "yunexpress", "YT#{16}"},
    {"gofo_us", "gofo", "GFUS#{14}"},
    {"landmark_global", "landmark", "LTN#{8}N1"},
    {"amazon_logistics", "amazon", "TB[ACM]#{12}"},
    {"amazon_international", "amazon", "[ACF]#{10}"},
    {"s10", "", "@@#{9}@@", Sum::s10, 8, 2},
};

}  // namespace

std::span<const Shape> shapes() { return kShapes; }
std::span<const Carrier> carriers() { return kCarriers; }

}  // namespace bottega::carriers

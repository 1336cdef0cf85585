/* Made by make_kitchen.py with overcooked_ai (older dynamics). Of each step: two actions; soups that were served; what
 * both are paid for progress; of every 6 steps the kitchen after them. */
typedef struct KitchenEpisode {
  const char *option, *actions, *served, *shaped[2];
  const char *const *kitchen;
} KitchenEpisode;
enum { KITCHEN_STEPS = 600, KITCHEN_EVERY = 6 };
static const char *const kitchen_0[] = {
    "11do 12lo",
    "12ro 8ro",
    "6uo 8r- 2P1,0",
    "11do 7uo 2P1,0",
    "6uo 11l- 2P2,0",
    "6lo 11d- 2P2,0",
    "13ro 7ro 2P2,0",
    "8r- 13ro 2P3,17",
    "11dp 12lo 2P3,11",
    "7up 12lo 2P3,5",
    "7up 13do 2P3,0",
    "8rs 13uo",
    "8us 13uo",
    "7us 8uo",
    "8rs 13uo",
    "13r- 7ro",
    "13r- 7u- 2P1,0",
    "12l- 8uo 2P1,0",
    "13d- 12d- 2P2,0",
    "8ro 12d- 2P2,0",
    "13ro 12r- 2P2,0",
    "8ro 12r- 2P2,0",
    "6l- 12rp 2P3,17",
    "6l- 8up 2P3,11",
    "11dp 13dp 2P3,5",
    "6up 7lp 2P3,0",
    "11dp 6ds",
    "12rp 13r-",
    "12lp 7lo",
    "11lp 6u- 2P1,0",
    "12lp 6uo 2P1,0",
    "12rp 6u- 1o 2P1,0",
    "11lp 6uo 2P1,0",
    "6lp 7u- 2P2,0",
    "11lp 12do 2P2,0",
    "6up 7r- 2P3,16",
    "7up 8u- 2P3,10",
    "12d- 8u- 2P3,4 17p",
    "7us 8u-",
    "11ds 13do",
    "11ls 13do",
    "13d- 7uo",
    "11u- 7l- 2P1,0",
    "6u- 7uo 2P1,0",
    "12rp 7u- 2P2,0",
    "7up 13ro 2P2,0",
    "8up 11lo 2P2,0",
    "12up 7u- 2P3,17",
    "12rp 13r- 2P3,11",
    "12dp 6l- 2P3,5",
    "13up 8d- 2P3,0",
    "13dp 7u- 2P3,0",
    "13dp 11dp 2P3,0",
    "13dp 11lp 2P3,0",
    "7up 13dp 2P3,0",
    "12ds 8up",
    "7us 13dp",
    "6us 11lp",
    "12rs 7u- 14p",
    "11ls 7uo 14p",
    "11ls 7ro 2P1,0 14p",
    "12ls 7u- 2P2,0 14p",
    "13rp 8ro 2P2,0",
    "11dp 12lo 2P2,0",
    "11dp 12d- 2P3,15",
    "11up 7l- 2P3,9",
    "12rp 6l- 2P3,3",
    "8lp 7r- 2P3,0",
    "8up 11dp 2P3,0",
    "13dp 6lp 2P3,0",
    "8rp 7us",
    "7lp 11ds",
    "6lp 12ds",
    "6dp 11us",
    "7rp 12rs",
    "7up 13r-",
    "7up 6l-",
    "7up 6lo",
    "12up 7uo",
    "11dp 13d- 2P1,0",
    "6lp 8ro 2P1,0",
    "11rp 8uo 2P1,0",
    "11dp 7uo 2P1,0",
    "11up 7l- 2P2,0",
    "6up 13ro 2P2,0",
    "12dp 13ro 2P2,0",
    "7up 12lo 2P2,0",
    "8up 7u- 2P3,18",
    "6lp 12l- 2P3,12",
    "12dp 13d- 2P3,6",
    "12dp 8u- 2P3,0",
    "8rs 11l-",
    "7ls 11d-",
    "8rs 12d-",
    "6l- 8ro",
    "12do 8uo",
    "12ro 7u- 2P1,0",
    "8uo 7u- 2P1,0",
    "8ro 6uo 2P1,0",
    "8ro 12do 2P1,0",
};
static const char *const kitchen_1[] = {
    "10l- 23l-",
    "19d- 23u- 22P1,0",
    "30r- 23u- 22P2,0",
    "21u- 23lo 22P2,0",
    "30dp 25uo 22P2,0",
    "30rp 34ro 22P2,0",
    "28lp 34do 22P2,0",
    "19l- 25uo 18p 22P2,0",
    "10lp 23u- 22P3,17",
    "10up 34r- 22P3,11",
    "29dp 33l- 22P3,5",
    "30rp 16u- 22P3,0",
    "21us 25r-",
    "20ls 16u-",
    "21u- 16u- 38s",
    "21u- 34d- 38s",
    "28d- 16u- 38s",
    "28ls 16l-",
    "30rs 34r-",
    "20us 24u-",
    "29ds 32l-",
    "20rs 33l-",
    "21rs 23l- 22P1,0",
    "19l- 24r- 22P2,0",
    "28l- 25d- 22P2,0",
    "28l- 34r- 22P2,0",
    "20u- 33l- 22P2,0",
    "30d- 33d- 22P2,0",
    "29d- 33l- 22P2,0",
    "28d- 32d- 22P2,0",
    "28d- 32do 22P2,0",
    "10lo 32d- 22P2,0 31P1,0",
    "19do 23lo 22P2,0 31P1,0",
    "10lo 24l- 22P2,0 26o 31P1,0",
    "20ro 24lo 22P2,0 31P1,0",
    "19lo 16uo 22P2,0 31P1,0",
    "21ro 16lo 22P2,0 31P1,0",
    "21r- 33do 22P3,15 31P1,0",
    "20l- 32lp 22P3,9 31P2,0",
    "19l- 23up 22P3,3 31P2,0",
    "10lo 23ls 31P2,0",
    "10r- 16us 1o 31P2,0",
    "10uo 25d- 1o 31P2,0",
    "10lo 16u- 1o 31P2,0",
    "10ro 25d- 1o 31P2,0",
    "19do 24l- 1o 31P2,0",
    "28do 33r- 1o 31P2,0",
    "20ro 24u- 1o 31P2,0",
    "21u- 34d- 1o 22P1,0 31P2,0",
    "21r- 33l- 1o 22P1,0 31P2,0",
    "21r- 32l- 1o 22P1,0 31P2,0",
    "29l- 32l- 1o 22P1,0 31P2,0",
    "29l- 23uo 1o 22P1,0 31P2,0",
    "21u- 24ro 1o 22P1,0 31P2,0",
    "30d- 34ro 1o 22P1,0 31P2,0",
    "30d- 23lo 1o 22P1,0 31P2,0",
    "30r- 23u- 1o 22P2,0 31P2,0",
    "20l- 23uo 1o 22P3,17 31P2,0",
    "28d- 23lo 1o 22P3,11 31P2,0",
    "29d- 34do 1o 22P3,5 31P2,0",
    "28d- 33do 1o 22P3,0 31P2,0",
    "20u- 32lo 1o 22P3,0 31P2,0",
    "29d- 32lp 1o 22P3,0 31P3,16",
    "30dp 33d- 1o 15p 22P3,0 31P3,10",
    "20ls 16r- 1o 15p 31P3,4",
    "20us 16up 1o 31P3,0",
    "30d- 25dp 1o 31P3,0",
    "30ds 25rp 1o",
    "21u- 33lp 1o",
    "29d- 24up 1o",
    "10u- 32lp 1o",
    "10lo 33rp",
    "10l- 32lp 11o",
    "10u- 32lp 1o 11o",
    "10ro 23up 11o",
    "21r- 23lp 11o 22P1,0",
    "21r- 34dp 11o 22P1,0",
    "30d- 16up 11o 22P1,0",
    "30rp 34dp 11o 22P1,0",
    "30rp 25rp 11o 22P1,0",
    "29lp 25rp 11o 22P1,0",
    "19lp 34rp 11o 22P1,0",
    "30rp 16rp 11o 22P1,0",
    "30rp 25rp 11o 22P1,0",
    "29rp 25rp 11o 22P1,0",
    "29dp 33rp 11o 22P1,0",
    "21rp 34r- 11o 22P1,0 35p",
    "29dp 33lp 11o 22P1,0",
    "29rp 23lp 11o 22P1,0",
    "29lp 23lp 11o 22P1,0",
    "29rp 23lp 11o 22P1,0",
    "28lp 23lp 11o 22P1,0",
    "20up 23lp 11o 22P1,0",
    "29rp 32dp 11o 22P1,0",
    "21rp 32lp 11o 22P1,0",
    "21rp 32lp 11o 22P1,0",
    "21rp 24lp 11o 22P1,0",
    "29dp 25dp 11o 22P1,0",
    "30rp 34dp 11o 22P1,0",
    "21rp 34d- 11o 22P1,0 43p",
};
static const char *const kitchen_2[] = {
    "13l- 6uo",
    "18r- 16do",
    "8u- 16lo",
    "8u- 13uo",
    "8d- 13ro",
    "11l- 6l- 3P1,0",
    "17uo 8r- 3P1,0",
    "18ro 7l- 3P1,0",
    "13uo 7r- 3P1,0",
    "18d- 6l- 3P2,0",
    "13r- 7r- 3P2,0",
    "13r- 7u- 3P2,0",
    "8u- 11r- 3P2,0",
    "13r- 6uo 3P2,0",
    "7l- 6lo 3P2,0",
    "8r- 6lo 3P2,0",
    "6l- 11do 3P2,0",
    "11rp 17ro 3P2,0",
    "11up 17uo 3P2,0",
    "6up 16lo 3P2,0",
    "11lp 13uo 3P2,0",
    "6lp 8r- 3P2,0 9P1,0",
    "16dp 18d- 3P2,0 9P1,0",
    "17dp 18l- 3P2,0 9P1,0",
    "11lp 17u- 3P2,0 9P1,0",
    "16dp 17r- 3P2,0 9P1,0",
    "11up 18r- 3P2,0 9P1,0",
    "7rp 17ro 3P2,0 9P1,0",
    "8rp 17uo 3P2,0 9P1,0",
    "8rp 16do 3P2,0 9P1,0",
    "8up 18do 3P2,0 9P1,0",
    "7dp 17uo 3P2,0 9P1,0",
    "6lp 16lo 3P2,0 9P1,0",
    "6up 17do 3P2,0 9P1,0",
    "6up 18ro 3P2,0 9P1,0",
    "11rp 13uo 3P2,0 9P1,0",
    "16lp 13lo 3P2,0 9P1,0",
    "11rp 13lo 3P2,0 9P1,0",
    "11rp 13d- 3P3,18 9P1,0",
    "6up 7d- 3P3,12 9P1,0",
    "6rp 7l- 3P3,6 9P1,0",
    "11dp 7d- 3P3,0 9P1,0",
    "16dp 6u- 3P3,0 9P1,0",
    "11dp 8u- 3P3,0 9P1,0",
    "11lp 18d- 3P3,0 9P1,0",
    "16dp 7u- 3P3,0 9P1,0",
    "7up 13d- 3P3,0 9P1,0",
    "7lp 18r- 3P3,0 9P1,0",
    "7rp 8u- 3P3,0 9P1,0",
    "7up 8l- 3P3,0 9P1,0",
    "17rp 18r- 3P3,0 9P1,0",
    "18rp 8r- 3P3,0 9P1,0",
    "13up 7r- 3P3,0 9P1,0",
    "13ds 7d- 9P1,0",
    "13ls 7u- 9P1,0",
    "17ds 6l- 9P1,0",
    "16l- 7l- 9P1,0",
    "11uo 6l- 9P1,0",
    "11lo 6d- 9P1,0",
    "16do 7r- 9P1,0",
    "17uo 11d- 9P1,0",
    "17lo 11do 9P1,0",
    "11lo 8r- 9P2,0",
    "6uo 7l- 9P2,0",
    "7ro 8r- 9P2,0",
    "6ro 7l- 9P2,0",
    "6uo 7u- 9P2,0",
    "6lo 7d- 9P2,0",
    "7ro 8l- 9P2,0",
    "7do 8r- 9P2,0",
    "8d- 13r- 9P3,18",
    "7d- 13l- 9P3,12",
    "7d- 8r- 9P3,6",
    "8r- 18d- 9P3,0",
    "8r- 17d- 9P3,0",
    "7l- 18r- 9P3,0",
    "7d- 18d- 9P3,0",
    "11l- 17u- 9P3,0",
    "7rp 17r- 9P3,0",
    "6lp 16l- 9P3,0",
    "8us 13r-",
    "13ds 18u-",
    "7ds 13l-",
    "7ls 8u-",
    "6ls 7d-",
    "11rs 7d-",
    "6ls 13u-",
    "8rs 18d-",
    "7rs 13l-",
    "6us 17l-",
    "7us 16lo",
    "7rs 11uo",
    "11ls 16lo",
    "6ls 17ro",
    "7rs 17lo",
    "8rs 17ro",
    "8rs 16do",
    "17d- 11ro",
    "17u- 6uo",
    "16do 8u- 3P1,0",
};
static const char *const kitchen_3[] = {
    "11ro 8u-",
    "11ro 8r-",
    "11ro 8u-",
    "16do 8u-",
    "16do 18d-",
    "6l- 8u- 21o",
    "16do 8r- 21o",
    "11do 8l- 21o",
    "16do 8u- 21o",
    "6uo 18d- 21o",
    "11uo 18l- 21o",
    "6lo 18r- 21o",
    "16do 18l- 21o",
    "11do 13u- 21o",
    "16do 13r- 21o",
    "16do 18l- 21o",
    "16ro 18l- 21o",
    "16do 13l- 21o",
    "6lo 13r- 21o",
    "6lo 18d- 21o",
    "16do 13l- 21o",
    "6uo 13l- 21o",
    "6uo 8u- 21o",
    "16lo 13r- 21o",
    "16do 8r- 21o",
    "11lo 8u- 21o",
    "11lo 18l- 21o",
    "11lo 13u- 21o",
    "11do 18r- 21o",
    "16ro 13l- 21o",
    "6uo 13l- 21o",
    "16do 18l- 21o",
    "16ro 13u- 21o",
    "16lo 18d- 21o",
    "16do 18r- 21o",
    "16do 18d- 21o",
    "16do 13l- 21o",
    "6uo 8r- 21o",
    "11do 13u- 21o",
    "11ro 13r- 21o",
    "16lo 18d- 21o",
    "11do 18d- 21o",
    "16do 18d- 21o",
    "11r- 8u- 12o 21o",
    "6uo 8l- 21o",
    "16ro 13d- 21o",
    "11ro 13d- 21o",
    "6lo 18r- 21o",
    "16do 18r- 21o",
    "16lo 8r- 21o",
    "11uo 8r- 21o",
    "6lo 18d- 21o",
    "6ro 18r- 21o",
    "11ro 13d- 21o",
    "11do 8u- 21o",
    "11uo 8r- 21o",
    "6lo 8u- 21o",
    "11uo 18l- 21o",
    "6uo 18d- 21o",
    "11do 8u- 21o",
    "11lo 8l- 21o",
    "6uo 13r- 21o",
    "16do 13r- 21o",
    "11lo 18r- 21o",
    "16do 18d- 21o",
    "11ro 8u- 21o",
    "6l- 18d- 12o 21o",
    "11do 13r- 12o 21o",
    "11ro 13u- 12o 21o",
    "11ro 18l- 12o 21o",
    "11do 18r- 12o 21o",
    "16lo 8u- 12o 21o",
    "11uo 8l- 12o 21o",
    "6ro 8uo 21o",
    "11ro 13d- 3P1,0 21o",
    "16do 8l- 3P1,0 21o",
    "16ro 13u- 3P1,0 21o",
    "11uo 18d- 3P1,0 21o",
    "11lo 18d- 3P1,0 21o",
    "6lo 18d- 3P1,0 21o",
    "11do 18d- 3P1,0 21o",
    "6uo 18l- 3P1,0 21o",
    "6uo 18l- 3P1,0 21o",
    "16ro 13r- 3P1,0 21o",
    "16do 18r- 3P1,0 21o",
    "11ro 18r- 3P1,0 21o",
    "11lo 18d- 3P1,0 21o",
    "6ro 18d- 3P1,0 21o",
    "11do 18l- 3P1,0 21o",
    "6uo 13u- 3P1,0 21o",
    "16do 13r- 3P1,0 21o",
    "16ro 18d- 3P1,0 21o",
    "16do 13d- 3P1,0 21o",
    "16lo 13u- 3P1,0 21o",
    "16do 8u- 3P1,0 21o",
    "11uo 13l- 3P1,0 21o",
    "6uo 8l- 3P1,0 21o",
    "16do 8r- 3P1,0 21o",
    "6uo 8r- 3P1,0 21o",
    "6uo 13l- 3P1,0 21o",
};
static const char *const kitchen_4[] = {
    "9l- 14u-",
    "17d- 30d-",
    "9l- 29l-",
    "9u- 26lo",
    "17l- 26do",
    "9l- 27ro",
    "10u- 28uo",
    "12r- 29do",
    "11u- 29do",
    "13r- 14uo",
    "14r- 22uo",
    "14d- 22ro",
    "13r- 30do",
    "14r- 30ro",
    "14u- 22uo",
    "14u- 28lo",
    "12d- 28d- 20o",
    "12d- 26lo 4P1,0",
    "12u- 27ro 4P1,0",
    "11d- 29d- 4P1,0 20o",
    "10u- 29u- 4P1,0 20o",
    "12d- 29u- 4P1,0 20o",
    "12u- 29l- 4P2,0",
    "11d- 22r- 4P2,0",
    "11l- 14r- 4P2,0",
    "12u- 13d- 4P2,0",
    "11u- 12l- 4P2,0",
    "12r- 14r- 4P2,0",
    "12u- 29l- 4P2,0",
    "11d- 30r- 4P2,0",
    "9l- 29l- 4P2,0",
    "9u- 22u- 4P2,0",
    "17r- 29l- 4P2,0",
    "9u- 27do 4P2,0",
    "10l- 28ro 4P2,0",
    "9l- 29lo 4P2,0",
    "9u- 28do 4P2,0",
    "11l- 28uo 4P2,0",
    "17d- 22uo 4P2,0",
    "17r- 12lo 4P2,0",
    "17d- 14ro 4P2,0",
    "10u- 13lo 4P2,0",
    "11r- 12u- 4P3,18",
    "10r- 11l- 4P3,12",
    "10r- 11d- 4P3,6",
    "17u- 12r- 4P3,0",
    "9u- 13r- 4P3,0",
    "17lp 14r- 4P3,0",
    "25dp 30d- 4P3,0",
    "9u- 29d- 1p 4P3,0",
    "9lp 29u- 4P3,0",
    "25dp 30d- 4P3,0",
    "9lp 30r- 4P3,0",
    "9lp 29r- 4P3,0",
    "9lp 28r- 4P3,0",
    "10up 29r- 4P3,0",
    "11lp 29r- 4P3,0",
    "11dp 28l- 4P3,0",
    "11up 25l- 4P3,0",
    "17dp 26d- 4P3,0",
    "10up 26u- 4P3,0",
    "11up 27r- 4P3,0",
    "11up 28r- 4P3,0",
    "11rp 22r- 4P3,0",
    "11up 28u- 4P3,0",
    "11up 29d- 4P3,0",
    "9up 30r- 4P3,0",
    "9up 30r- 4P3,0",
    "11up 28u- 4P3,0",
    "11up 28u- 4P3,0",
    "11up 30r- 4P3,0",
    "11up 28u- 4P3,0",
    "12rp 27r- 4P3,0",
    "12ds 17u-",
    "13us 26r-",
    "12rs 27d-",
    "11us 28do",
    "12rs 28do",
    "12ls 28ro",
    "13rs 28do",
    "22l- 28do",
    "22r- 29ro",
    "14r- 30ro",
    "14r- 22ro",
    "14r- 30ro",
    "13r- 14uo",
    "13d- 14uo",
    "12r- 13lo",
    "12r- 14ro",
    "9l- 30do",
    "17u- 28lo",
    "9u- 17uo",
    "10u- 9uo",
    "10d- 17ro",
    "17d- 25do",
    "9u- 17lo",
    "10l- 17uo",
    "11d- 27ro",
    "10d- 28uo",
    "9l- 26uo",
};
static const KitchenEpisode kitchen_episodes[] = {
    {"layout=cramped_room",
     "lriuurlilddlssrdlrslsurrslludilsduurssdidduuuldudssiluldululdlsrllslsdlslurduurldirrlusrudiirrrrlrus"
     "sdlddlisddrrssdddrulislruusdrsudiduldsrruurusddrdrsdiruulsurdsrisiuurdisusssusrurrdlduilsrrsduririds"
     "dirirrriusssurlurlrdiuriiddduddiurslruiddssudsrdsrssissrilurulrrllirulidsilrsrluuriurslusurslrurduid"
     "lusuuuuuisiluurulidldlidrrlrdrldlirrdurruiudlriluurissdlldlullslrrrldiluusiuildiluriuddsssludilsrulu"
     "rrluuiludslldiirldlsrdiuuidlulururlurduuisisrsudurdussisddiduuisidsudslrdisudddiuddlsdllsrsdrrldrrru"
     "dliussrslsdiliullssrsiuilluudiiurddursssuriisddlsdurirsuudrdulslurdsdulisuusdrsdsdrrssssdldusudldldl"
     "durrsrudurudruslrsusduiuulddrlsudddiusrsdlisdsdsirsulrduduudiuurluuiridsdsuuiddruridluuddillululrrir"
     "liuldursusrllslidrlurilllsssrilrlsruudrurilsrsdridsrriisrrudldlldssssuuiuuusslddsdlslsruliululslusiu"
     "lsrlrlulrrrsrslrdlruuisdsisddussdsiluldlsrusiuiiurrulussrdssulldudusldirldidllsddduusududslrulsuslrr"
     "usirididiiirirululiuirilliusssduuuiliudlsssidruusidrlddrsddidsluuruiurlsuisdsuddrlsudldudsddsssudiuu"
     "dsduluuldssrliddurusurslsdrddudrudisdrdsulssuuirrldusiuslussrdrslrllldrrusddrdddsllsuurrusduddurisrl"
     "rlssrdrlrsslidlsudrrsdssrdrdduirlssiuulridrsuddussdsddllludildrusisirlurduuirldirdudlsruuullrdrrudrd",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001000000"
     "0000000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000010000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000010000000000000000000000000000000000",
     {"0000000000000000000000000000000000000000000003000000030000000000005000000000000000000000000000000000"
     "0000000000000000000000000000000000030000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000050000000000000000000000000000000030000000000000000000000000000000000"
     "0000000000000000000000000000005000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000005000000000000000000000000000000000000000000000000000",
     "0000000000000030000000000300000000000000000000000000000000000000000000000000000000000000000000000300"
     "0000000000030000000000000000000000003000000000000000000000500000000000000003000000000000000000000000"
     "0030000000003000000000000000000000000000000000000000000300000000300000000000000000000300000000000000"
     "0000000000000000000000000000000000000000000000000000000000003000000000300000000000000300000000000000"
     "0000000000000000000000050000000000000000000000000000000000000000000000000030000000000000000000000030"
     "0000000000000000000000000030000000000000000000000000000000000000000000000000000300000000000000000000"},
     kitchen_0},
    {"layout=asymmetric_advantages",
     "ulldullruulluurilluiusdusilldirusursdiusslrussuldrusruddsriurrisididrriridisluldsssslrlrdrurldiuissl"
     "ullirulursrrlrssudsrrrdslsridrslsursiriiiuiuisidulrlirurlurlusrsuulsdrisrssdiuuurrdrddrssdussdluduls"
     "sldulursdrislisldldrrdisrdrrlusdlsulrduuuudsudllrsdsursilusrrdsldlusduuislriuuiilllirslrlssilrsudrld"
     "ldsilsllsisrlidlrddrslussldrrrdusldddsdrddlldrdldiudlsrdllddllrsduiilddisluiuiliiuldlrdsslsusislsrud"
     "uusrrilliuruurrrdirlsdlsssirluiuisirssrrsrrlsdirsrrlrdidulsisdsiudlllddldrullisulluisssilsisddusiruu"
     "lrruurrrsilliludduluduusuuluruuurlulldrslsslrrlurddlsuslldsrdsssddluddsuudrurdirsudduuuduuldrsudrssl"
     "ldssdlurrlrsssuldsdrrllsrssdsulirlluulsldururlurrdsrsluudddrrlrdlsrdiudlrsridusdrussiiussluiiuliulli"
     "sssldididrdrruddsddsduuilssddlddssdusslurduldldssiidsislsirrduiiruddrruurriullsruliisrirssuurriuulis"
     "irddisrridrlsudrdrulidursluidusdssrulsduidsiuislliuiisliuslrlssslsldslriilliiidiuiuiuiiiidrlrdisrlsu"
     "lsdlsiririiilirrrrldrdssruuuuiulrudidliurudurdidiriduudrrrrsiuilsdirirlrlrddddurrllrurdudrrsruirdrru"
     "isidiririslllruddurrddddululdisrsrurirrrlrriirlidrrslldiuulrdllslsrlsiriiiiilisisilidisiliriridrrsls"
     "dulllisilirsuiullililidisdrdddulrilirriliiiissiiiiiiiiiiiuirlrrllrsdsdruluddrsdddsrrruiduurdiruurdri",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001"
     "0000000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     {"0000000000000000000000000000030000000000000000000000000000000000000000000000500000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000030000000000000000000000000000000000000000000000000000000000000000030000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000003000005000000000000"
     "0000500000000000000000000000000000000000000000000000000300000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     "0000000003000030000000000000000000000000000000000003000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000300030000000000000000000000000000000000000000000003000000000000"
     "0000000000000000000000000000030300000000000500000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000300000003000000000000000000000000000030300000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"},
     kitchen_1},
    {"layout=coordination_ring",
     "rsiddiduullusdiddrdddlrdrssrrlddurulsliddlrruruusdsrurdususrlurslidllsslrrdsldisrrurrrrrslrrsrrldlrs"
     "dlulslsrusiddudddsiludrirusurssrlsrdsdsursrsllldrrlirrusdduidurrsssuirrsisuluslllldluulldsrluduulluu"
     "udlsddilrsldisrrddssdsrdrluuuullrsiulduldldslrlrsdluiullsruiullrddirruldrddisurdrlddsrilusudlldluilu"
     "dsduuddllldrddurrsdldlurursidlullirrruiuidrsidiuidsdilidilidisiluiirirsdiuddulidlsdusduusllssslsidiu"
     "sludursdudsulssrsrursdldsslldrrurslsrudrldsludrssrdsuurlususdlrurirdlluruuduulsdruirulsdlirlusssulll"
     "liddduddluullidulslruiurdssulrsddsiduilsrslulurrslduusurrdussuudrriuiridldsrusuilssusursurrrrldrsuul"
     "lddlrdssddrrdrsuuuurssrrrrrlrusldsuruuisususliddrsrlssrrlssuddlllsrsusdsrrlrduirlllsisulsluuudslldud"
     "ssuslusdliullssssldrsulirludldusrdlslsuidulddilulruriilsrsllurssusulruuuuilrrssrslulrrlllurlsssldlul"
     "ursuriuurdidsslsulslrruldsrlirssuuddsusrruirdirdiidrusrrrllrdsslilursurrdsdsdsdlsddsslrdsrsusdrlsdsd"
     "sududrruurlrldlulurdsddsrdldllsddulsiusduulurlsrdlssldrrdullrrdrrrirsuursddilusuusdsrlurlsdudsslruil"
     "irrrlussliuussrulllddlllrdrrsirdlrduudlsudlurrrrdurlrdsdlrsuslsirusluddrddlslrulsduussrluissssludsud"
     "ulruddlldlsuldllrlldrluusdlruusdlrsdrlssddidiirlsrsiusuluduludrsdddulusuddirsrdsrllrsruudrlddsirduii",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000001000000000000",
     {"0000000000000000000000000000000000000000000000000000000300000000000000000000000000000000000000000000"
     "0000003000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000500000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000003000000000000000000000000000000000000000000030000000000000050000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000030000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000030000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000030000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000300000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003"},
     kitchen_2},
    {"layout=forced_coordination",
     "lirrlrirssrururdlssulurrusdlrlsussrsrrdirudussdsllrssdrdduddisusuulduuluiruulrlsdudrululsrruuudlrssr"
     "luirdlsusuudlsuruludlldisddrdluludrduirruslrdsdrrruisldlusrrulrulidsuuduslsdrrdruldluduldsdllrlddiru"
     "rdsluudiirdlssssudsllduurrlrludrudsdrslididurlulrsdludirluuusdslusulluluruuudirdduruddlrdlrsdusldrdr"
     "usiurdrurslirrldrsldllsludluurdlldluuislrdurrddrddlsrrdussrllrududiuuliirrdsurrldddlldlsliddrsrussll"
     "lriridlsdrsrlriidrdrlrdiuililuddduslilrrurdllruulrusurssddrdlduruldudlddlsluurridllusdrurdlddrudluur"
     "uldddllslsldisdddudsuslsrliuidsllurusuulrusrdsrsdsrduurrldiurlrdldudsslrirsrdludslssdrdrlisrllludulr"
     "rulillurdrusuruuliudrdlsdlusilsuidrrsdludurullrdsuriurrsuudidirudulsrlurluriuslulriuuusruddddsulirdd"
     "lssduduiuiudllrddusullllsrsulriluulilusdlrurrsdrslrurddrllusddulsrlrrrdsllludssdsusuurllrdsusdidslul"
     "llsdilrlldrsdusruldddissusruldisusrddlrsusdrrrrlurdrullsdsdurllurrdriuusdlusudllliurlsrudlrulilslurd"
     "rliuildllldsdsudrdlddursrssdsssdssuilsusrrdslrlddlsruusludlsuldruduslsdsdrususrusdulrurdsrulrruluusu"
     "dsddslrrsdrrurrirddrusuldlrirrsrisilsrsllsldudurullusdrdrdldssdruddlsuuuidrrudiuuuddssrrrldrlrrssssd"
     "rsssslrlsdluuuddrriuidrdlrluurdldlsldusidlsudrlrudsllsduululusuidllrdldiuidrslddsurduuurdsuurrudrlul",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     {"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000300000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"},
     kitchen_3},
    {"layout=counter_circuit",
     "ruildrdulsluudrrrrlllddsulissrslrslssluddduiululldsdsrdllsldlsuuislusslridlulursdruulusrrrulrurduuli"
     "isuiddusrusudddrrusudddrdlssrdrursruilsrridrussllllrurrdusuldrusdrrssussdurusuuurlududddulsluusslili"
     "siddiusdusiidldludlddsudruurdrluluuirrddssssdldrluuuirdsrdddrldusuidudirslsssrudusuulsdrsrsurlslullr"
     "durldduduisiruddiudullususudsrssdurrsrdursldsduluuudidlsddsrllissruslslllsrddrdilsuuurudururddrldlrd"
     "lldduiuslllsrrddrdlrlsduuusrsrllululdruuussdrsrdrulisiissdlrlruslddurullrsrusuiluusruiuruudrudsslluu"
     "rrulilslursuririuddildilrsslrluurudlrssdlrdssllrdiuidliduuuusrsrusdrlsrulrirrlsrrdddlidsssududisilid"
     "idlurllrsulsdsrrrdssdssddluisuudldsrurllislllrisulllriiuuilrlurussddurusudrsusilrslrdlsuddurildsulid"
     "ilililssisislllrlddduldursdruuuirrusiliiisiridlsruldrruiirislssrdurrudilludsrluuirusildrusudlsllurdu"
     "ussrsddsrrrsulsrdrurrlrluuisiuiridiliuisiuisiruridiriillrdulsuisilisidilidrrudilslssdsdudsrdsdirusus"
     "lrudluuduurdlirrdrliulsdsslurddusdrsuluirsrulrliusursldsddrsslridsrsirldslusuddrrssrrlrrlduursirrusu"
     "srriurrrdsrsdsdssdrrdulruslurususllsdudsrrduululludrlsrlluiddrsurrsslrlrldlllllddlsrilldddulrdrlilru"
     "rluusrdrlsruusussslsddsddusrllldusuduidisuuldsudsuulduulsilurlluiludrrdduddrdsuuudurlsduisdlullirulu",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000001000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     {"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000030000000000000000000000000000030000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000003000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000005000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000030000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"},
     kitchen_4},
};

"""People and companies that no list names: drawn from given names, surnames and trade words of several cultures.

The words were written down from general knowledge of what is common where, in rough order of frequency, and
the share of each culture is that of an offering sold mostly in the United States. A frequent word is drawn more
often than a rare one. Nothing here was taken from a sanctions list.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bookrunner.adapters.screening import EntryKind, Subject


@dataclass(frozen=True, slots=True)
class Culture:
    """How one culture names people; ``share`` is in per mille of all people.

    ``tail`` holds beginnings and endings of the many rare surnames, drawn in ``rare`` per mille of all names:
    the 150 most frequent surnames of a country are those of a minority. ``syllables`` make given names where
    these are composed.
    """

    share: int
    given: str
    family: str
    tail: tuple[str, str] = ("", "")
    rare: int = 0
    syllables: str = ""
    middle: int = 0
    family_first: int = 0
    two_families: int = 0


CULTURES = {
    "american": Culture(
        520,
        "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph"
        " Jessica Thomas Sarah Christopher Karen Charles Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark Margaret"
        " Donald Ashley Steven Kimberly Andrew Emily Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian"
        " Melissa George Deborah Timothy Stephanie Ronald Rebecca Jason Sharon Edward Laura Jeffrey Cynthia Ryan"
        " Kathleen Jacob Amy Gary Angela Nicholas Shirley Eric Brenda Jonathan Emma Stephen Anna Larry Pamela Justin"
        " Nicole Scott Samantha Brandon Katherine Benjamin Christine Samuel Debra Gregory Rachel Alexander Carolyn"
        " Frank Janet Patrick Maria Raymond Olivia Jack Heather Dennis Helen Jerry Catherine Tyler Diane Aaron Julie"
        " Jose Victoria Adam Joyce Nathan Lauren Henry Kelly Zachary Christina Douglas Ruth Peter Joan Kyle Virginia",
        "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Thomas Taylor Moore Jackson Martin Lee"
        " Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams Nelson Baker"
        " Hall Campbell Mitchell Carter Roberts Phillips Evans Turner Parker Collins Edwards Stewart Morris Murphy Cook"
        " Rogers Morgan Cooper Peterson Bailey Reed Kelly Howard Ward Cox Richardson Wood Watson Brooks Bennett Gray"
        " James Hughes Price Myers Long Foster Sanders Ross Powell Sullivan Russell Jenkins Perry Butler Barnes Fisher"
        " Henderson Coleman Simmons Patterson Jordan Reynolds Hamilton Graham Wallace Cole West Hayes Bryant Gibson"
        " Ellis Stevens Ford Marshall Owens McDonald Harrison Kennedy Wells Woods Washington Tucker Porter Hunter Hicks"
        " Crawford Henry Boyd Mason Kennedy Warren Dixon Burns Gordon Shaw Holmes Rice Robertson Hunt Black Daniels"
        " Palmer Mills Nichols Grant Knight Ferguson Stone Hawkins Dunn Perkins Hudson Spencer Gardner Stephens Payne"
        " Pierce Berry Matthews Arnold Wagner Willis Ray Watkins Olson Carroll Duncan Snyder Hart Cunningham Bradley",
        middle=550,
        tail=(
            "Ash Black Brad Brook Burn Clay Cran Dal Dray East Ed Fair Far Gar Glen Had Hal Har Hart Haw Hay"
            " Hol Hor Kings Lang Law Liver Mans Mar May Mid Nor Oak Old Pem Pen Red Rock Ruther Sax Shel Stan"
            " Stock Sut Thorn Wake Wal Wen Whit Win Wood",
            "ford well ton ley field man worth by bury ham wood land more ridge stead shaw den burn croft"
            " cliffe ster wick brook son gate",
        ),
        rare=700,
    ),
    "hispanic": Culture(
        130,
        "Maria Jose Juan Luis Ana Carlos Carmen Miguel Rosa Jorge Guadalupe Francisco Elena Antonio Teresa Manuel"
        " Alejandra Pedro Gabriela Jesus Patricia Ricardo Veronica Fernando Claudia Rafael Adriana Sergio Leticia"
        " Eduardo Monica Roberto Silvia Javier Daniela Alejandro Lucia Diego Valentina Andres Camila Pablo Ximena",
        "Garcia Rodriguez Martinez Hernandez Lopez Gonzalez Perez Sanchez Ramirez Torres Flores Rivera Gomez Diaz Cruz"
        " Morales Reyes Gutierrez Ortiz Ramos Chavez Mendoza Ruiz Alvarez Castillo Romero Vargas Jimenez Moreno Herrera"
        " Medina Aguilar Castro Guzman Munoz Salazar Mendez Soto Delgado Pena Vega Guerrero Sandoval Rios Estrada",
        middle=400,
        two_families=250,
        tail=(
            "Agui Alber Arre Balle Barra Bece Cama Cana Carde Cerva Cisne Cabre Echeva Esca Espi Figue Galle"
            " Gama Iba Landa Lara Madri Maldo Mira Monta Nava Oliva Orne Pala Pare Queza Quinta Sala Sere"
            " Tama Terra Valde Vela Villa Zamo",
            "rra nte nzo los ga do no lez rez ros las via nes da rio sco lba ndo ja res",
        ),
        rare=450,
    ),
    "german": Culture(
        40,
        "Hans Ursula Peter Monika Klaus Petra Wolfgang Sabine Thomas Renate Andreas Stefan Claudia Jurgen Birgit Uwe"
        " Heike Matthias Anke Markus Katrin Tobias Julia Florian Lena Jonas Hannah Lukas Leonie",
        "Muller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schafer Koch Bauer Richter Klein"
        " Wolf Schroder Neumann Schwarz Zimmermann Braun Kruger Hofmann Hartmann Lange Werner Krause Lehmann Kohler",
        middle=150,
        tail=(
            "Acker Berg Birken Blum Bruck Eichen Feld Grun Hein Hirsch Holz Kalt Kirch Linden Neu Nieder Ober"
            " Rosen Schon Stein Strauss Unter Wald Weiss Winkel",
            "mann meier bach berger hauser stein hofer mayr wald ner ling brand horst feld",
        ),
        rare=600,
    ),
    "french": Culture(
        35,
        "Jean Marie Pierre Nathalie Michel Isabelle Philippe Sylvie Alain Catherine Nicolas Martine Laurent Valerie"
        " Julien Sophie Thierry Camille Guillaume Manon Antoine Chloe Mathieu Lea Hugo Ines",
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia"
        " Bertrand Roux Vincent Fournier Morel Girard Andre Mercier Dupont Lambert Bonnet Francois Martinez Legrand",
        middle=150,
        tail=(
            "Beau Bel Bois Bour Char Clai Cour De Du Fon Gau Grand Haute La Le Mal Mont Per Rou Saint Val"
            " Ville",
            "champ mont ville pierre tier roux vigne sard bert lon dier rand let veau main court fort",
        ),
        rare=550,
    ),
    "italian": Culture(
        30,
        "Giuseppe Anna Antonio Giulia Marco Francesca Paolo Chiara Luca Sara Andrea Valentina Francesco Elisa Matteo"
        " Alessandra Davide Silvia Stefano Martina Roberto Federica Giovanni Laura",
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano"
        " Mancini Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini",
        tail=(
            "Al Bar Bel Ber Bon Cal Can Car Cas Cos Del Fab Fer Gal Gran Lan Mal Man Mar Mon Pal Pan Pel Pic"
            " San Sal Tar Tor Val Ven Zan",
            "bieri tini telli toni nardi vani zoni rini gari lotti done tano doni colini netti lucci bini",
        ),
        rare=600,
    ),
    "nordic": Culture(
        20,
        "Lars Anna Erik Karin Anders Kristina Per Ingrid Johan Eva Nils Birgitta Olof Astrid Mikkel Freja Kasper Ida"
        " Henrik Sofie Jukka Aino Mikko Hanna Bjorn Sigrid",
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Hansen Jensen"
        " Nielsen Pedersen Christensen Rasmussen Olsen Berg Haugen Korhonen Virtanen Lindberg Lindqvist Dahl",
        tail=(
            "Ak Berg Bjork Dal Ek Ek Fager Gran Hed Hall Holm Lind Lund Nord Ny Ost Sjo Sand Soder Stor"
            " Strand Strom Sund Vik Wester",
            "qvist gren berg strom lund man stad dahl holm gaard vold stedt blad",
        ),
        rare=500,
    ),
    "chinese": Culture(
        55,
        "Wei Xiaoming Li Jing Min Yan Lei Jun Yang Qiang Jie Ying Xin Hui Fang Jian Ping Bo Mei Lin Yuting Haoran"
        " Zihan Yifan Jiahui Xinyi Ruoxi Weijie Xiaohong Zhiwei Wenjing Tianyu",
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Tang Cao"
        " Deng Feng Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu Du Ye Cheng Wei Su Lu Ding Ren",
        family_first=400,
        syllables="an bo cheng chun da dong fei feng guang hai han hao heng hong hua hui jia jian jie jin jing jun kai kang"
        " lan lei li liang lin ling long man mei meng min ming na nan ning peng ping qi qiang qing rong rui shan shu si"
        " tao tian ting wei wen xia xiang xiao xin xiu xue yan yang yi ying yong yu yuan yue yun ze zhen zhi zhong zi",
    ),
    "indian": Culture(
        60,
        "Rahul Priya Amit Anjali Rajesh Pooja Sanjay Neha Vijay Sunita Arjun Deepa Ravi Kavita Suresh Lakshmi Anil"
        " Meera Vikram Divya Manoj Shreya Ashok Nisha Karthik Swati Sandeep Rekha Naveen Aishwarya",
        "Sharma Patel Singh Kumar Gupta Reddy Iyer Nair Joshi Mehta Shah Verma Rao Das Mukherjee Banerjee Chatterjee"
        " Desai Kapoor Malhotra Menon Pillai Agarwal Bhatt Chopra Sinha Trivedi Naidu Krishnan Subramanian",
        middle=150,
        tail=(
            "Achar Amba Bala Bhag Chan Chaura Dev Ganes Gopal Hari Jaya Kal Kesa Laksh Maha Nara Pad Rama"
            " Saty Shan Siva Sri Sundar Tha Venka Vish Yad",
            "rajan murthy sia dra kar wal nath van raman yanan swamy tia kumaran patra wade",
        ),
        rare=500,
    ),
    "east_asian": Culture(
        45,
        "Minjun Seoyeon Jiho Hayoon Junseo Jiwoo Hiroshi Yuki Takashi Sakura Kenji Haruka Satoshi Naoko Minh Linh Thanh"
        " Huong Tuan Phuong Quang Lan Sunghoon Eunji Daisuke Ayumi",
        "Kim Park Choi Jung Kang Cho Yoon Jang Lim Han Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura"
        " Kobayashi Kato Nguyen Tran Le Pham Hoang Phan Vu Dang Bui Do",
        middle=100,
        syllables="a chi da e eun hae han hee hi ho hye hyun in ji jin jun ka ki ko kyu ma mi min na o rin ri ro sa seo"
        " shi so su ta tae to u woo ya ye yo yong yu yuki",
    ),
    "slavic": Culture(
        25,
        "Jan Anna Piotr Katarzyna Krzysztof Agnieszka Tomasz Magdalena Pavel Jana Petr Lucie Ivan Olena Andriy Iryna"
        " Dmitry Natalia Alexei Tatiana Mikhail Svetlana Milan Jelena Marko Ivana",
        "Kowalski Nowak Wisniewski Wojcik Kaminski Lewandowski Zielinski Novak Svoboda Dvorak Cerny Horvat Petrovic"
        " Jovanovic Kovalenko Shevchenko Bondarenko Tkachenko Smirnov Popov Sokolov Lebedev Kozlov Novikov Morozov",
        tail=(
            "Bel Bor Chern Dob Gor Grab Hol Jab Kras Kubi Lis Mak Maz Mys Ost Paw Prok Rud Sav Sikor Slav Tok"
            " Vas Vor Wal Zab Zar",
            "inski enko owski ovic icki arczyk ylo iuk anek oszek chuk ika itsky alik",
        ),
        rare=600,
    ),
    "middle_eastern": Culture(
        25,
        "Ahmed Fatima Omar Layla Karim Nour Tarek Yasmin Samir Rania Hassan Dina Mehmet Ayse Emre Zeynep Reza Shirin"
        " Dariush Parisa Ali Sara Yousef Mariam Khaled Hala",
        "Haddad Khoury Nasser Mansour Saleh Hamdan Aziz Rahman Farah Najjar Yilmaz Kaya Demir Celik Sahin Ozturk"
        " Hosseini Ahmadi Karimi Tehrani Moradi Shirazi Hakimi Sabbagh Darwish Bishara",
        tail=(
            "Abbas Akbar Arab Azim Bakh Fakh Far Ghaz Habib Jalal Kar Kash Kha Moss Nam Pour Rasht Sab Sal"
            " Sham Tabriz Vaz Yazd Zand",
            "zadeh i nejad pour ian oglu iri abadi anlar mand khani",
        ),
        rare=450,
    ),
    "african": Culture(
        15,
        "Kwame Ama Kofi Akosua Chinedu Ngozi Emeka Adaeze Oluwaseun Funmilayo Thabo Nomsa Sipho Lerato Wanjiru Kamau"
        " Otieno Achieng Abebe Tigist",
        "Mensah Owusu Boateng Asante Okafor Okonkwo Adeyemi Balogun Eze Nwosu Nkosi Dlamini Khumalo Mokoena Mwangi"
        " Njoroge Odhiambo Kariuki Bekele Tesfaye",
        tail=(
            "Ade Ako Amo Aya Chi Ebe Ife Ige Kama Kibe Kipro Muka Mulu Mwa Ndu Nja Obi Odu Ogun Oko Olu Onye"
            " Sithe Tada Wam Zulu",
            "yinka bisi chukwu tunde wole kamwa beka mu nda sanya lola ji bola rere kwu gwa",
        ),
        rare=550,
    ),
}
FIRST = (
    "Summit Harbor Granite Maple Riverside Blue Northern Pacific Evergreen Silver Oak Cedar Liberty Pioneer Heritage"
    " Lakeside Golden Beacon Atlas Redwood Prairie Horizon Coastal Keystone Sterling Willow Falcon Meadow Crescent"
    " Frontier Copper Juniper Highland Canyon Sunrise Westfield Bayview Ironwood Cobalt Aspen Lighthouse Magnolia"
    " Brookside Timberline Cascade Hudson Alpine Ridgeway Stonegate Fairview Clearwater Mosaic Lantern Verdant Kestrel"
)
SECOND = (
    "Capital Ventures Properties Health Software Foods Logistics Energy Partners Dental Medical Builders Analytics"
    " Realty Design Robotics Biotech Farms Insurance Marketing Consulting Textiles Brewing Aviation Media Education"
    " Interiors Plumbing Roofing Automotive Diagnostics Hospitality Studios Therapeutics Landscaping Bakery Apparel"
    " Semiconductors Water Storage Payments Optics Pharmacy Seafood Furniture Fitness Recycling Acoustics Genomics"
)
THIRD = (
    "Group Holdings Solutions Services Systems Technologies Management Associates Industries Fund Trust Advisors"
    " Enterprises Labs Works International Investments Development Trading Supply"
)
# Words that listed companies bear too, so that a clean one is not told apart by its trade alone.
TRADES = (
    "General Trading|Shipping|Petroleum|Import Export|Construction|Engineering|Electronics|Commercial Bank"
    "|Marine Services|Oil and Gas|Transport|Petrochemical|Exchange|Air Cargo|Steel|Mining|Travel Agency|Telecom"
)
FORMS = "LLC|LLC|LLC|Inc.|Inc.|Corp.|Ltd|Limited|LP|L.L.C.|Company|Co.|GmbH|S.A.|S.r.l.|B.V.|Pty Ltd|PLC|AG|Oy"
PLACES = "Austin Denver Boston Ohio Carolina Phoenix Seattle Vermont Bavaria Lyon Leeds Utrecht Geneva Dublin Osaka"


def _drawn(rng: random.Random, words: str | list[str]) -> str:
    """Draw a word; the first are about six times as frequent as the last."""
    known = words.split() if isinstance(words, str) else words
    return known[int(len(known) * rng.random() ** 1.5)]


def _given(rng: random.Random, how: Culture) -> str:
    if how.syllables and rng.random() < 0.7:
        return "".join(rng.choices(how.syllables.split(), k=rng.choice((1, 2, 2, 2)))).capitalize()
    return _drawn(rng, how.given)


def _family(rng: random.Random, how: Culture) -> str:
    if rng.randrange(1000) < how.rare:
        return rng.choice(how.tail[0].split()) + rng.choice(how.tail[1].split())
    return _drawn(rng, how.family)


def person(rng: random.Random, culture: str) -> str:
    """Return a name as such a person would write it."""
    how = CULTURES[culture]
    given, family = _given(rng, how), _family(rng, how)
    if rng.randrange(1000) < how.two_families:
        family = f"{family} {_family(rng, how)}"
    if rng.randrange(1000) < how.middle:
        middle = _given(rng, how)
        given = f"{given} {middle if rng.random() < 0.5 else middle[0] + '.'}"
    return f"{family} {given}" if rng.randrange(1000) < how.family_first else f"{given} {family}"


def people(count: int, seed: int) -> list[tuple[str, str]]:
    """Return pairs of a culture and a name; the same seed gives the same people."""
    rng = random.Random(seed)
    shares = [culture.share for culture in CULTURES.values()]
    return [(culture, person(rng, culture)) for culture in rng.choices(list(CULTURES), shares, k=count)]


def company(rng: random.Random) -> str:
    """Return a company's name with its form."""
    family = _family(rng, CULTURES[rng.choice(("american", "american", "german", "italian", "indian"))])
    first, second = rng.choice(FIRST.split()), rng.choice(SECOND.split())
    third = rng.choice(TRADES.split("|")) if rng.random() < 0.3 else rng.choice(THIRD.split())
    shape = rng.choice(
        (
            f"{first} {second}",
            f"{first} {second} {third}",
            f"{first} {rng.choice(FIRST.split())} {second}",
            f"{family} {second} {third}",
            f"{family} & {_family(rng, CULTURES['american'])} {second}",
            f"{rng.choice(PLACES.split())} {first} {third}",
            f"{family} Family {rng.choice(('Trust', 'Holdings', 'Partners', 'Foundation'))}",
            f"{first}{second.lower()} {third}",
            f"{first} {second} Fund {rng.choice(('I', 'II', 'III', '2024', '7'))}",
        )
    )
    return f"{shape} {rng.choice(FORMS.split('|'))}"


def companies(count: int, seed: int) -> list[str]:
    """Return names of companies; the same seed gives the same ones."""
    rng = random.Random(seed)
    return [company(rng) for _ in range(count)]


def subjects(count: int, seed: int) -> list[Subject]:
    """Return clean subjects, three people to each company."""
    named = [Subject(EntryKind.PERSON, (name,)) for _, name in people(count - count // 4, seed)]
    return named + [Subject(EntryKind.ENTITY, (name,)) for name in companies(count // 4, seed)]

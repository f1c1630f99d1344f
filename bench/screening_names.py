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
    """How one culture names people; ``share`` is in per mille of all people."""

    share: int
    given: str
    family: str
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
    ),
    "german": Culture(
        40,
        "Hans Ursula Peter Monika Klaus Petra Wolfgang Sabine Thomas Renate Andreas Stefan Claudia Jurgen Birgit Uwe"
        " Heike Matthias Anke Markus Katrin Tobias Julia Florian Lena Jonas Hannah Lukas Leonie",
        "Muller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schafer Koch Bauer Richter Klein"
        " Wolf Schroder Neumann Schwarz Zimmermann Braun Kruger Hofmann Hartmann Lange Werner Krause Lehmann Kohler",
        middle=150,
    ),
    "french": Culture(
        35,
        "Jean Marie Pierre Nathalie Michel Isabelle Philippe Sylvie Alain Catherine Nicolas Martine Laurent Valerie"
        " Julien Sophie Thierry Camille Guillaume Manon Antoine Chloe Mathieu Lea Hugo Ines",
        "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefebvre Michel Garcia"
        " Bertrand Roux Vincent Fournier Morel Girard Andre Mercier Dupont Lambert Bonnet Francois Martinez Legrand",
        middle=150,
    ),
    "italian": Culture(
        30,
        "Giuseppe Anna Antonio Giulia Marco Francesca Paolo Chiara Luca Sara Andrea Valentina Francesco Elisa Matteo"
        " Alessandra Davide Silvia Stefano Martina Roberto Federica Giovanni Laura",
        "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano"
        " Mancini Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini",
    ),
    "nordic": Culture(
        20,
        "Lars Anna Erik Karin Anders Kristina Per Ingrid Johan Eva Nils Birgitta Olof Astrid Mikkel Freja Kasper Ida"
        " Henrik Sofie Jukka Aino Mikko Hanna Bjorn Sigrid",
        "Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Hansen Jensen"
        " Nielsen Pedersen Christensen Rasmussen Olsen Berg Haugen Korhonen Virtanen Lindberg Lindqvist Dahl",
    ),
    "chinese": Culture(
        55,
        "Wei Xiaoming Li Jing Min Yan Lei Jun Yang Qiang Jie Ying Xin Hui Fang Jian Ping Bo Mei Lin Yuting Haoran"
        " Zihan Yifan Jiahui Xinyi Ruoxi Weijie Xiaohong Zhiwei Wenjing Tianyu",
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Tang Cao"
        " Deng Feng Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu Du Ye Cheng Wei Su Lu Ding Ren",
        family_first=400,
    ),
    "indian": Culture(
        60,
        "Rahul Priya Amit Anjali Rajesh Pooja Sanjay Neha Vijay Sunita Arjun Deepa Ravi Kavita Suresh Lakshmi Anil"
        " Meera Vikram Divya Manoj Shreya Ashok Nisha Karthik Swati Sandeep Rekha Naveen Aishwarya",
        "Sharma Patel Singh Kumar Gupta Reddy Iyer Nair Joshi Mehta Shah Verma Rao Das Mukherjee Banerjee Chatterjee"
        " Desai Kapoor Malhotra Menon Pillai Agarwal Bhatt Chopra Sinha Trivedi Naidu Krishnan Subramanian",
        middle=150,
    ),
    "east_asian": Culture(
        45,
        "Minjun Seoyeon Jiho Hayoon Junseo Jiwoo Hiroshi Yuki Takashi Sakura Kenji Haruka Satoshi Naoko Minh Linh Thanh"
        " Huong Tuan Phuong Quang Lan Sunghoon Eunji Daisuke Ayumi",
        "Kim Park Choi Jung Kang Cho Yoon Jang Lim Han Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura"
        " Kobayashi Kato Nguyen Tran Le Pham Hoang Phan Vu Dang Bui Do",
        middle=100,
    ),
    "slavic": Culture(
        25,
        "Jan Anna Piotr Katarzyna Krzysztof Agnieszka Tomasz Magdalena Pavel Jana Petr Lucie Ivan Olena Andriy Iryna"
        " Dmitry Natalia Alexei Tatiana Mikhail Svetlana Milan Jelena Marko Ivana",
        "Kowalski Nowak Wisniewski Wojcik Kaminski Lewandowski Zielinski Novak Svoboda Dvorak Cerny Horvat Petrovic"
        " Jovanovic Kovalenko Shevchenko Bondarenko Tkachenko Smirnov Popov Sokolov Lebedev Kozlov Novikov Morozov",
    ),
    "middle_eastern": Culture(
        25,
        "Ahmed Fatima Omar Layla Karim Nour Tarek Yasmin Samir Rania Hassan Dina Mehmet Ayse Emre Zeynep Reza Shirin"
        " Dariush Parisa Ali Sara Yousef Mariam Khaled Hala",
        "Haddad Khoury Nasser Mansour Saleh Hamdan Aziz Rahman Farah Najjar Yilmaz Kaya Demir Celik Sahin Ozturk"
        " Hosseini Ahmadi Karimi Tehrani Moradi Shirazi Hakimi Sabbagh Darwish Bishara",
    ),
    "african": Culture(
        15,
        "Kwame Ama Kofi Akosua Chinedu Ngozi Emeka Adaeze Oluwaseun Funmilayo Thabo Nomsa Sipho Lerato Wanjiru Kamau"
        " Otieno Achieng Abebe Tigist",
        "Mensah Owusu Boateng Asante Okafor Okonkwo Adeyemi Balogun Eze Nwosu Nkosi Dlamini Khumalo Mokoena Mwangi"
        " Njoroge Odhiambo Kariuki Bekele Tesfaye",
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
FORMS = "LLC|LLC|LLC|Inc.|Inc.|Corp.|Ltd|Limited|LP|L.L.C.|Company|Co.|GmbH|S.A.|S.r.l.|B.V.|Pty Ltd|PLC|AG|Oy"
PLACES = "Austin Denver Boston Ohio Carolina Phoenix Seattle Vermont Bavaria Lyon Leeds Utrecht Geneva Dublin Osaka"


def _drawn(rng: random.Random, words: str | list[str]) -> str:
    """Draw a word; the first are about six times as frequent as the last."""
    known = words.split() if isinstance(words, str) else words
    return known[int(len(known) * rng.random() ** 1.5)]


def person(rng: random.Random, culture: str) -> str:
    """Return a name as such a person would write it."""
    how = CULTURES[culture]
    given, family = _drawn(rng, how.given), _drawn(rng, how.family)
    if rng.randrange(1000) < how.two_families:
        family = f"{family} {_drawn(rng, how.family)}"
    if rng.randrange(1000) < how.middle:
        middle = _drawn(rng, how.given)
        given = f"{given} {middle if rng.random() < 0.5 else middle[0] + '.'}"
    return f"{family} {given}" if rng.randrange(1000) < how.family_first else f"{given} {family}"


def people(count: int, seed: int) -> list[tuple[str, str]]:
    """Return pairs of a culture and a name; the same seed gives the same people."""
    rng = random.Random(seed)
    shares = [culture.share for culture in CULTURES.values()]
    return [(culture, person(rng, culture)) for culture in rng.choices(list(CULTURES), shares, k=count)]


def company(rng: random.Random) -> str:
    """Return a company's name with its form."""
    family = _drawn(rng, CULTURES[rng.choice(("american", "american", "german", "italian", "indian"))].family)
    first = rng.choice(FIRST.split())
    second, third = rng.choice(SECOND.split()), rng.choice(THIRD.split())
    shape = rng.choice(
        (
            f"{first} {second}",
            f"{first} {second} {third}",
            f"{first} {rng.choice(FIRST.split())} {second}",
            f"{family} {second} {third}",
            f"{family} & {_drawn(rng, CULTURES['american'].family)} {second}",
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

"""layout_table:layout placement_table:placement"""
